import { askedOf, openQuestion } from "../store/question.ts";
import type { State } from "../store/state.ts";
import { sanitizeLine, sanitizeText } from "../text/sanitize.ts";
import { wrapText } from "../text/wrap.ts";
import { span } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import type { View } from "./view.ts";

/** What is asked and how it can be answered, above the composer that takes the answer; nothing when nothing is asked. */
export function questionLines(state: State, view: View): Line[] {
	const open = openQuestion(state);
	if (open === undefined) return [];
	const { question, asked, index } = open;
	const count = askedOf(question).length;
	const place = count > 1 ? ` (${index + 1} of ${count})` : "";
	const title = `${sanitizeLine(question.agent_name)} asks${place}${asked.title === "" ? "" : `: ${sanitizeLine(asked.title)}`}`;
	const lines: Line[] = [[span(` ${view.glyphs.needsYou} ${title}`, "attention", true)]];
	for (const row of wrapText(sanitizeText(asked.text), view.width - 5)) lines.push([span(`   ${row}`)]);
	for (const [at, option] of asked.options.entries()) {
		const about = option.description === "" ? "" : `  ${sanitizeLine(option.description)}`;
		lines.push([span(`   ${at + 1} `, "accent"), span(sanitizeLine(option.label)), span(about, "muted")]);
	}
	const how =
		asked.options.length === 0
			? "type the answer"
			: asked.isFree
				? "type a number, or an answer in your own words"
				: "type a number";
	lines.push([span(`   ${how}, then enter`, "muted")]);
	return lines;
}
