import type { CommandExecutionItem, FileChangeItem } from "#protocol/codex-item.ts";
import type { Cell, CellOf } from "../store/cell.ts";
import { formatDuration, formatTime, plural, tildePath } from "../text/format.ts";
import { sanitizeLine, sanitizeText } from "../text/sanitize.ts";
import { shellScript, shellWords } from "../text/shell-words.ts";
import { padCells, truncateCells, widthCells } from "../text/width.ts";
import { wrapText } from "../text/wrap.ts";
import { fitLine, span, spreadLine } from "../theme/line.ts";
import { agentToken, type Line, type Token } from "../theme/theme.ts";
import { changeLines } from "./change-lines.ts";
import { markdownLines } from "./markdown-lines.ts";
import { gutterOf, NARROW, type View } from "./view.ts";

/** Diff rows in the transcript until it is opened (screens.md, Chat). */
const DIFF_ROWS = 12;
/** Output rows of a command that failed, and of one that runs; a good one is its one line. */
const OUTPUT_ROWS = { failed: 4, running: 3, own: 20 } as const;

function indentOf(view: View): Line[number] {
	return span(" ".repeat(gutterOf(view.width)));
}

function headerLines(cell: CellOf<"header">, view: View): Line[] {
	const { thread } = cell;
	const provider = [thread.provider, thread.model].filter(Boolean).join(" ");
	const parts = [sanitizeLine(thread.title ?? ""), sanitizeLine(thread.agent_name), sanitizeLine(provider)];
	if (view.width >= NARROW)
		parts.push(tildePath(sanitizeLine(thread.cwd), view.homeDir), thread.approval_policy);
	const shown = parts.filter((part) => part !== "");
	return [
		[],
		fitLine([span(" "), span(shown.join(` ${view.glyphs.dot} `), "muted")], view.width, view.glyphs.ellipsis),
	];
}

function userLines(cell: CellOf<"user">, view: View): Line[] {
	const time = cell.atMs !== undefined && view.width >= NARROW ? formatTime(cell.atMs) : "";
	const rows = wrapText(
		sanitizeText(cell.text).trimEnd(),
		view.width - 4 - (time === "" ? 0 : time.length + 2),
	);
	const lines = rows.map((row, index): Line => {
		const mark = index === 0 ? view.glyphs.prompt : " ";
		const left: Line = [span(` ${mark} `, "accent"), span(row, "accent")];
		return index === 0 && time !== "" ? spreadLine(left, [span(time, "muted"), span(" ")], view.width) : left;
	});
	return [...lines, []];
}

function agentLines(cell: CellOf<"agent">, view: View): Line[] {
	const gutter = gutterOf(view.width);
	const name = sanitizeLine(cell.name);
	const rows = markdownLines(sanitizeText(cell.text).trim(), view.width - gutter - 1);
	const fits = widthCells(name) <= gutter - 2;
	const label = cell.isNamed && fits ? padCells(` ${name}`, gutter) : " ".repeat(gutter);
	const lines = rows.map((row, index): Line => {
		const lead = index === 0 ? span(label, agentToken(name), true) : indentOf(view);
		return [lead, ...row];
	});
	// A long name gets a row of its own, so that the text column stays.
	return cell.isNamed && !fits
		? [[span(` ${truncateCells(name, view.width - 2)}`, agentToken(name), true)], ...lines]
		: lines;
}

interface StepState {
	glyph: string;
	word: string;
	token: Token;
}

function commandState(item: CommandExecutionItem, output: string, view: View): StepState {
	const { glyphs } = view;
	switch (item.status) {
		case "inProgress":
			return { glyph: glyphs.working, word: "running", token: "muted" };
		case "declined":
			return { glyph: glyphs.failed, word: "declined", token: "attention" };
		case "outcomeUnknown":
			return { glyph: glyphs.needsYou, word: "outcome unknown", token: "attention" };
		case "failed":
			return {
				glyph: glyphs.failed,
				word: item.exitCode === null ? "failed" : `exit ${item.exitCode}`,
				token: "bad",
			};
		default: {
			if (item.exitCode !== null && item.exitCode !== 0)
				return { glyph: glyphs.failed, word: `exit ${item.exitCode}`, token: "bad" };
			const text = output.trimEnd();
			const count = text === "" ? 0 : text.split("\n").length;
			return { glyph: glyphs.done, word: count === 0 ? "done" : plural(count, "line"), token: "good" };
		}
	}
}

function waitingState(view: View): StepState {
	return { glyph: view.glyphs.needsYou, word: "waits for you", token: "attention" };
}

/** `0.1 s  ✓ 3 lines`; ASCII twins say `ok` themselves and are not doubled. */
function stateSpans(state: StepState, durationMs: number | undefined, view: View): Line {
	const time =
		durationMs !== undefined && view.width >= NARROW
			? span(`${formatDuration(durationMs)}  `, "muted")
			: span("");
	return [time, span(`${state.glyph} ${state.word}`, state.token), span(" ")];
}

/** The last rows of what a command printed. */
function outputLines(output: string, rows: number, view: View): Line[] {
	const text = rows === 0 ? "" : sanitizeText(output.slice(-64_000)).trimEnd();
	if (text === "") return [];
	const indent = span(" ".repeat(gutterOf(view.width) + 2));
	return text
		.split("\n")
		.slice(-rows)
		.map((row): Line => fitLine([indent, span(row, "muted")], view.width - 1, view.glyphs.ellipsis));
}

/** What a shell was asked to run, without the shell around it; approvals show the whole. */
function shownCommand(command: string): string {
	const words = shellWords(command);
	return sanitizeLine((words && shellScript(words)?.script) ?? command);
}

function commandLines(cell: CellOf<"command">, view: View): Line[] {
	const { item } = cell;
	const isWaiting = !cell.done && view.waiting.has(item.id);
	const isRunning = !cell.done && item.status === "inProgress" && !isWaiting;
	const state =
		cell.done && item.status === "inProgress"
			? { glyph: view.glyphs.failed, word: "stopped", token: "attention" as const }
			: isWaiting
				? waitingState(view)
				: commandState(item, sanitizeText(cell.output), view);
	const duration = isRunning ? view.nowMs - cell.startedAtMs : (item.durationMs ?? undefined);
	const command: Line = [indentOf(view), span("$ ", "muted"), span(shownCommand(item.command))];
	const first = spreadLine(command, stateSpans(state, duration, view), view.width, view.glyphs.ellipsis);
	// What somebody ran by hand they want to read; what the agent ran is there when it went wrong.
	const ended =
		item.source === "userShell" ? OUTPUT_ROWS.own : state.token === "bad" ? OUTPUT_ROWS.failed : 0;
	return [first, ...outputLines(cell.output, isRunning ? OUTPUT_ROWS.running : ended, view)];
}

const PATCH_WORD: Readonly<Record<CommandExecutionItem["status"], string>> = {
	inProgress: "writing",
	completed: "applied",
	failed: "failed",
	declined: "declined",
	outcomeUnknown: "outcome unknown",
};

function patchState(item: FileChangeItem, view: View): StepState {
	const { glyphs } = view;
	const word = PATCH_WORD[item.status];
	switch (item.status) {
		case "completed":
			return { glyph: glyphs.done, word, token: "good" };
		case "inProgress":
			return { glyph: glyphs.working, word, token: "muted" };
		case "failed":
			return { glyph: glyphs.failed, word, token: "bad" };
		default:
			return { glyph: glyphs.failed, word, token: "attention" };
	}
}

function patchLines(cell: CellOf<"patch">, view: View): Line[] {
	const { item } = cell;
	const isWaiting = !cell.done && view.waiting.has(item.id);
	const state = isWaiting ? waitingState(view) : patchState(item, view);
	const right: Line = [span(`${state.glyph} ${state.word}`, state.token), span(" ")];
	// The request under it shows the whole; what was declined never happened.
	const rows = isWaiting || item.status === "declined" ? 0 : DIFF_ROWS;
	return changeLines(item.changes, right, rows, view);
}

function stepLines(cell: CellOf<"step">, view: View): Line[] {
	const { step } = cell;
	const { glyphs } = view;
	const states: Readonly<Record<typeof step.state, StepState>> = {
		running: { glyph: glyphs.working, word: "running", token: "muted" },
		done: { glyph: glyphs.done, word: "done", token: "good" },
		failed: { glyph: glyphs.failed, word: "failed", token: "bad" },
		unknown: { glyph: glyphs.needsYou, word: "outcome unknown", token: "attention" },
	};
	const left: Line = [
		indentOf(view),
		span(`${glyphs.dot} ${sanitizeLine(step.title)}`, "muted"),
		span(` ${sanitizeLine(step.text)}`),
	];
	const right = stateSpans(states[step.state], step.durationMs, view);
	return [spreadLine(left, right, view.width, glyphs.ellipsis)];
}

function mailLines(cell: CellOf<"mail">, view: View): Line[] {
	const { message } = cell;
	const name = sanitizeLine(message.to_name);
	const isBad = message.state === "failed" || message.state === "dropped";
	const age = cell.done ? "" : ` ${formatDuration(Math.max(0, view.nowMs - message.created_at_ms))}`;
	const word = `${message.state}${isBad && message.reason ? `: ${sanitizeLine(message.reason)}` : ""}${age}`;
	const left: Line = [
		indentOf(view),
		span(`${view.glyphs.arrow} `, "muted"),
		span(`#${name}`, agentToken(name)),
		span(`  ${sanitizeLine(message.text)}`),
	];
	const lines: Line[] = [
		spreadLine(
			left,
			[
				span(truncateCells(word, Math.max(12, Math.floor(view.width / 2))), isBad ? "bad" : "muted"),
				span(" "),
			],
			view.width,
			view.glyphs.ellipsis,
		),
	];
	if (message.answer === null || !cell.done) return lines;
	const lead = `${view.glyphs.answer} `;
	const gutter = gutterOf(view.width) + widthCells(lead) + widthCells(`#${name}`) + 2;
	const hang = gutter > view.width / 2 ? gutterOf(view.width) + 2 : gutter;
	const rows = wrapText(sanitizeText(message.answer).trim(), view.width - hang - 1);
	if (hang !== gutter) lines.push([indentOf(view), span(lead, "muted"), span(`#${name}`, agentToken(name))]);
	for (const [index, row] of rows.entries()) {
		const isHead = index === 0 && hang === gutter;
		lines.push(
			isHead
				? [indentOf(view), span(lead, "muted"), span(`#${name}  `, agentToken(name)), span(row)]
				: [span(" ".repeat(hang)), span(row)],
		);
	}
	return lines;
}

function noteLines(cell: CellOf<"note">, view: View): Line[] {
	const glyph = cell.glyph === "none" ? "" : `${view.glyphs[cell.glyph]} `;
	const width = view.width - gutterOf(view.width) - widthCells(glyph) - 1;
	const rows = cell.lines.flatMap((line) => wrapText(sanitizeText(line), width));
	return rows.map(
		(row, index): Line => [
			indentOf(view),
			span(index === 0 ? glyph : " ".repeat(widthCells(glyph)), cell.token),
			span(row, cell.token),
		],
	);
}

function detailLines(cell: CellOf<"detail">, view: View): Line[] {
	const indent = indentOf(view);
	const width = view.width - gutterOf(view.width) - 1;
	const rows = cell.lines.flatMap((line) => {
		// `label   value`: what does not fit goes on under the value.
		const label = cell.isTable === true ? (/^\S.*?\s{2,}/.exec(line)?.[0] ?? "") : "";
		if (label === "" || label.length > width / 2) return wrapText(line, width);
		const values = wrapText(line.slice(label.length), width - label.length);
		return values.map((value, index) => (index === 0 ? label : " ".repeat(label.length)) + value);
	});
	return [
		[indent, span(sanitizeLine(cell.title), "text", true)],
		...rows.map((row): Line => [indent, span(row, "muted")]),
	];
}

function reasoningLines(cell: CellOf<"reasoning">, view: View): Line[] {
	const last = sanitizeText(cell.text).trim().split("\n").at(-1) ?? "";
	const text = last === "" ? "thinking" : last.replaceAll("**", "");
	return [
		fitLine(
			[indentOf(view), span(`${view.glyphs.working} ${text}`, "muted")],
			view.width - 1,
			view.glyphs.ellipsis,
		),
	];
}

/** Rows of one transcript entry at this width; every row fits it, and none holds anything but text. */
export function cellLines(cell: Cell, view: View): Line[] {
	switch (cell.kind) {
		case "header":
			return headerLines(cell, view);
		case "user":
			return userLines(cell, view);
		case "agent":
			return agentLines(cell, view);
		case "reasoning":
			return reasoningLines(cell, view);
		case "command":
			return commandLines(cell, view);
		case "patch":
			return patchLines(cell, view);
		case "step":
			return stepLines(cell, view);
		case "mail":
			return mailLines(cell, view);
		case "note":
			return noteLines(cell, view);
		case "detail":
			return detailLines(cell, view);
	}
}

/** An empty row before a person's words, so that turns are seen as such. */
export function printedLines(cell: Cell, view: View): Line[] {
	const lines = cellLines(cell, view);
	return cell.kind === "user" ? [[], ...lines] : lines;
}

/** Room for marks that take no cell of their own, when the end of a text is cut by its length. */
const UNITS_PER_CELL = 2;

/** A streaming text's end is enough for the live region: laying out all of it sixty times a second would cost what it grows to. */
export function tailOf(cell: Cell, rows: number, width: number): Cell {
	if (cell.kind !== "agent") return cell;
	const { text } = cell;
	// Every line of the text is one row or more.
	let from = text.length;
	for (let line = 0; line <= rows && from > 0; line += 1) from = text.lastIndexOf("\n", from - 1);
	// An empty first line is no beginning to cut at.
	from = Math.max(from === 0 ? 0 : from + 1, text.length - Math.max(2_000, rows * width * UNITS_PER_CELL));
	return from <= 0 ? cell : { ...cell, text: text.slice(from), isNamed: false };
}
