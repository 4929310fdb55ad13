import type { State } from "../store/state.ts";
import { formatCount, formatElapsed, tildePath } from "../text/format.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import { wrapText } from "../text/wrap.ts";
import { lineWidth, span, spreadLine } from "../theme/line.ts";
import type { Line } from "../theme/theme.ts";
import { NARROW, type View } from "./view.ts";

/** Rows that a remark may take. */
const NOTICE_ROWS = 3;

function ownSpans(state: State, view: View): Line {
	const { glyphs } = view;
	const provider =
		state.account?.provider === "offline" && state.thread === undefined ? "offline" : undefined;
	const name = sanitizeLine(state.thread?.agent_name ?? provider ?? "no conversation yet");
	if (state.turn === undefined) return [span(`${glyphs.idle} ${name}`, "muted")];
	const elapsed = formatElapsed(state.nowMs - state.turn.startedAtMs);
	const waits = state.approvals.queue.some((entry) => entry.thread_id === state.slot.threadId);
	if (waits) return [span(`${glyphs.needsYou} ${name} waits for you`, "attention")];
	const word = state.turn.isInterrupting ? "interrupting" : "works";
	return [span(`${glyphs.working} ${name} ${view.width < NARROW ? "" : `${word} `}${elapsed}`, "accent")];
}

function otherSpans(state: State, view: View): Line[] {
	const { glyphs } = view;
	const own = state.slot.threadId;
	return state.agents
		.filter((agent) => agent.thread_id === null || agent.thread_id !== own)
		.filter((agent) => agent.status !== "idle")
		.map((agent): Line => {
			const name = sanitizeLine(agent.name);
			return agent.status === "needs_you"
				? [span(`${glyphs.needsYou} ${name} needs you`, "attention")]
				: [span(`${glyphs.working} ${name} works`, "muted")];
		});
}

function rightSpans(state: State, view: View): Line {
	const { glyphs } = view;
	const parts: string[] = [];
	const usage = state.usage;
	if (view.width >= NARROW) {
		if (usage) {
			const window =
				usage.modelContextWindow === null ? " tokens" : ` of ${formatCount(usage.modelContextWindow)}`;
			parts.push(`${formatCount(usage.last.totalTokens)}${window}`);
		} else if (state.thread === undefined) {
			parts.push(tildePath(state.surroundings.cwd, view.homeDir));
		}
		if (state.thread?.settings?.runner === "cli") parts.push("via codex");
		const count = state.agents.filter((agent) => agent.kind !== "person").length;
		if (count > 1) parts.push(`${count} agents`);
	}
	parts.push("? help");
	return [span(parts.join(` ${glyphs.dot} `), "muted"), span(" ")];
}

/** The last row: who does what, how much is used, where help is. */
export function statusLine(state: State, view: View): Line {
	const right = rightSpans(state, view);
	const room = view.width - lineWidth(right) - 3;
	let left: Line = [span(" "), ...ownSpans(state, view)];
	for (const other of otherSpans(state, view)) {
		const next: Line = [...left, span("  "), ...other];
		if (lineWidth(next) > room) break;
		left = next;
	}
	return spreadLine(left, right, view.width, view.glyphs.ellipsis);
}

/** One row above the composer about the link to the daemon; nothing while it is well. */
export function bannerLines(state: State, view: View): Line[] {
	const { link } = state;
	const safe =
		state.editor.text === "" && state.outbox.length === 0 ? "" : ` ${view.glyphs.dot} your draft is safe`;
	let line: Line | undefined;
	if (link.kind === "connecting") line = [span(` connecting${view.glyphs.ellipsis}`, "muted")];
	if (link.kind === "reconnecting") {
		const seconds = Math.max(0, Math.ceil((link.retryAtMs - state.nowMs) / 1000));
		line = [
			span(` reconnecting ${view.glyphs.dot} attempt ${link.attempt} in ${seconds} s${safe}`, "attention"),
		];
	}
	if (link.kind === "refused")
		return wrapText(sanitizeLine(`refused: ${link.message} ${link.remedy}`), view.width - 4)
			.slice(0, NOTICE_ROWS)
			.map((row, index): Line => [span(` ${index === 0 ? view.glyphs.failed : " "} ${row}`, "bad")]);
	if (link.kind === "closed") line = [span(` ${view.glyphs.failed} the connection is closed`, "bad")];
	return line ? [line] : [];
}

/** Passing remarks and the warning before leaving. */
export function noticeLines(state: State, view: View): Line[] {
	if (state.exitUntilMs !== undefined)
		return [
			[
				span(
					view.width < NARROW
						? " press Ctrl+C again to leave"
						: " press Ctrl+C again to leave; what runs goes on",
					"attention",
				),
			],
		];
	if (!state.notice) return [];
	const { text, token } = state.notice;
	return wrapText(sanitizeLine(text), view.width - 2)
		.slice(0, NOTICE_ROWS)
		.map((row): Line => [span(` ${row}`, token)]);
}
