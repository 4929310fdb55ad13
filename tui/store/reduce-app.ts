import type { ApprovalPolicy } from "#protocol/record.ts";
import { replaceText } from "../editor/editor.ts";
import { sanitizeText } from "../text/sanitize.ts";
import type { Cell } from "./cell.ts";
import { applySettings } from "./settings.ts";
import type { State } from "./state.ts";
import { append, only, type ReduceContext, remark, type Update } from "./update.ts";

/** A second Ctrl+C within this time leaves (experience.md, terminal UI 3). */
const EXIT_WINDOW_MS = 2_000;
/** Lines of a step that Ctrl+O shows; the whole output stays with the daemon. */
const EXPANDED_LINES = 400;

function interrupt(state: State): Update | undefined {
	const { turn, slot } = state;
	if (!turn || turn.isInterrupting || slot.threadId === undefined) return undefined;
	return only(
		{ ...state, turn: { ...turn, isInterrupting: true } },
		{ kind: "interrupt", threadId: slot.threadId },
	);
}

function runBreak(state: State, nowMs: number): Update {
	if (state.exitUntilMs !== undefined && nowMs < state.exitUntilMs)
		return only({ ...state, isExiting: true }, { kind: "exit", code: 0 });
	const interrupted = interrupt(state);
	if (interrupted) return interrupted;
	if (state.editor.text !== "")
		return only({ ...state, editor: replaceText(state.editor, ""), exitUntilMs: undefined });
	return only({ ...state, exitUntilMs: nowMs + EXIT_WINDOW_MS });
}

function expand(state: State, nowMs: number): Update {
	const shown = [...state.printed.slice(-100), ...state.live];
	const cell = shown.findLast((entry) => entry.kind === "command" || entry.kind === "patch");
	const title = cell?.kind === "command" ? `$ ${cell.item.command}` : "changes";
	const body =
		cell?.kind === "command"
			? cell.output
			: cell?.kind === "patch"
				? cell.item.changes.map((change) => `${change.path}\n${change.diff}`).join("\n")
				: "";
	if (!cell || body.trim() === "") return only(remark(state, "nothing to show in full", nowMs));
	const lines = sanitizeText(body).trimEnd().split("\n");
	const cut = lines.length - EXPANDED_LINES;
	const kept = cut > 0 ? [...lines.slice(0, EXPANDED_LINES), `${cut} more lines`] : lines;
	const key = `detail:${cell.key}:${state.printed.length}:${state.live.length}`;
	const detail: Cell = { kind: "detail", key, done: true, title, lines: kept };
	return only(append(state, detail));
}

const POLICIES: readonly ApprovalPolicy[] = ["untrusted", "on-request", "never"];
const POLICY_SAYS: Readonly<Record<ApprovalPolicy, string>> = {
	untrusted: "untrusted: asks for every command that is not known to be harmless",
	"on-request": "on-request: asks when the sandbox is not enough",
	never: "never: does not ask, and refuses what would need asking",
};

function cycleApproval(state: State, nowMs: number): Update {
	const present = state.wantedPolicy ?? state.thread?.approval_policy ?? "on-request";
	const policy = POLICIES[(POLICIES.indexOf(present) + 1) % POLICIES.length] ?? "on-request";
	const update = applySettings(state, { policy });
	return {
		state: remark(update.state, `approvals ${POLICY_SAYS[policy]}`, nowMs, "accent"),
		effects: update.effects,
	};
}

/** Commands of the whole program. */
export function runAppCommand(state: State, command: string, { nowMs }: ReduceContext): Update {
	switch (command) {
		case "app.escape":
			return interrupt(state) ?? only({ ...state, notice: undefined });
		case "app.break":
			return runBreak(state, nowMs);
		case "app.exit":
			return only({ ...state, isExiting: true }, { kind: "exit", code: 0 });
		case "app.editor":
			return only(state, { kind: "edit_draft", text: state.editor.text });
		case "app.redraw":
			return only(state, { kind: "redraw" });
		case "app.suspend":
			return only(state, { kind: "suspend" });
		case "help.open":
			return only({ ...state, panel: { kind: "help", selected: 0, filter: "", isLoading: false, rows: [] } });
		case "transcript.expand":
			return expand(state, nowMs);
		case "settings.cycle_approval":
			return cycleApproval(state, nowMs);
		default:
			return only(state);
	}
}
