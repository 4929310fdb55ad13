import type { Terminal, Thread, WeaveAgent } from "#protocol/record.ts";
import { formatAgo, plural, tildePath } from "../text/format.ts";
import { fuzzyFilter } from "../text/fuzzy.ts";
import { sanitizeLine } from "../text/sanitize.ts";
import type { PanelRow, State } from "./state.ts";

function glyphOf(status: WeaveAgent["status"]): PanelRow["glyph"] {
	if (status === "needs_you") return "needsYou";
	return status === "working" ? "working" : "idle";
}

const STATUS_WORD: Readonly<Record<WeaveAgent["status"], string>> = {
	idle: "idle",
	working: "working",
	needs_you: "needs you",
};

function agentRow(agent: WeaveAgent, state: State): PanelRow {
	const thread = state.threads.find((entry) => entry.thread_id === agent.thread_id);
	const kind =
		agent.kind === "thread" ? [thread?.provider, thread?.model].filter(Boolean).join(" ") : agent.kind;
	const mail = agent.mailbox_length > 0 ? `${agent.mailbox_length} in its mailbox` : "";
	const word = agent.connected || agent.kind === "thread" ? STATUS_WORD[agent.status] : "not connected";
	return {
		id: agent.name,
		glyph: glyphOf(agent.status),
		name: sanitizeLine(agent.name),
		text: `${word}  ${sanitizeLine(kind)}`,
		right: mail,
	};
}

function terminalRow(terminal: Terminal, state: State): PanelRow {
	const program = sanitizeLine(terminal.argv[0]?.split("/").at(-1) ?? "");
	const driver = terminal.driver ? `driven by ${sanitizeLine(terminal.driver.client)}` : "nobody attached";
	const ended = terminal.status === "lost" ? "lost" : `ended ${terminal.exit_code ?? ""}`.trim();
	return {
		id: terminal.terminal_id,
		glyph: terminal.status === "running" ? "working" : "failed",
		name: sanitizeLine(terminal.name),
		text: `${program} ${state.surroundings.cwd === "" ? "" : "·"} ${tildePath(sanitizeLine(terminal.cwd), state.surroundings.homeDir)}  ${terminal.cols}x${terminal.rows}`,
		right: terminal.status === "running" ? driver : ended,
	};
}

/** A thread as a row of the picker. */
export function threadRow(thread: Thread, state: State): PanelRow {
	const title = sanitizeLine(thread.title ?? "");
	const turns = plural(thread.turn_count, "turn");
	return {
		id: thread.thread_id,
		glyph: glyphOf(thread.status),
		name: sanitizeLine(thread.agent_name),
		text: `${title === "" ? "" : `${title}  `}${turns} · ${tildePath(sanitizeLine(thread.cwd), state.surroundings.homeDir)}`,
		right: formatAgo(state.nowMs - thread.updated_at_ms),
	};
}

/** Rows of the open panel that match its filter. */
export function panelRows(state: State): readonly PanelRow[] {
	const { panel } = state;
	if (!panel || panel.kind === "help") return [];
	let rows = panel.rows;
	if (panel.kind === "agents") rows = state.agents.map((agent) => agentRow(agent, state));
	if (panel.kind === "terminals") rows = state.terminals.map((terminal) => terminalRow(terminal, state));
	return panel.filter === "" ? rows : fuzzyFilter(panel.filter, rows, (row) => `${row.name} ${row.text}`);
}

/** The selected row, kept inside the list. */
export function panelIndex(state: State): number {
	return Math.max(0, Math.min(state.panel?.selected ?? 0, panelRows(state).length - 1));
}
