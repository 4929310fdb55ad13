import { toAppError } from "#base/app-error.ts";
import type { DaemonClient } from "#client/client.ts";
import type { Terminal } from "#protocol/record.ts";
import type { SuspendTerminal } from "../component/app.tsx";
import type { Action } from "../store/action.ts";
import type { State } from "../store/state.ts";
import { sayError } from "./error-text.ts";

export type AttachOutcome = { kind: "exited"; exitCode: number } | { kind: "detached" } | { kind: "lost" };

/** Connects this terminal to one of the daemon's until the person detaches or the program ends. */
export type AttachTerminal = (options: {
	client: DaemonClient;
	terminal: string;
	mode: "drive" | "watch";
	takeover: boolean;
	stdin: NodeJS.ReadStream;
	stdout: NodeJS.WriteStream;
	env: Readonly<Record<string, string | undefined>>;
	signal: AbortSignal;
}) => Promise<AttachOutcome>;

interface AttachParts {
	attachTerminal: AttachTerminal;
	suspend: SuspendTerminal;
	stdin: NodeJS.ReadStream;
	stdout: NodeJS.WriteStream;
	env: Readonly<Record<string, string | undefined>>;
	signal: AbortSignal;
	getState(): State;
	dispatch(action: Action): void;
}

/** The terminal meant when none is named: the newest that runs. */
export function defaultTerminal(terminals: readonly Terminal[]): Terminal | undefined {
	return terminals
		.filter((entry) => entry.status === "running")
		.toSorted((a, b) => b.created_at_ms - a.created_at_ms)[0];
}

async function chooseTerminal(
	client: DaemonClient,
	named: string | undefined,
	parts: AttachParts,
): Promise<{ id: string; name: string }> {
	const { terminals, surroundings } = parts.getState();
	const known =
		named === undefined
			? defaultTerminal(terminals)
			: terminals.find((entry) => entry.terminal_id === named || entry.name === named);
	if (known) return { id: known.terminal_id, name: known.name };
	if (named !== undefined) return { id: named, name: named };
	const { columns, rows } = parts.getState();
	const { terminal } = await client.call("terminal.session.start", {
		cwd: surroundings.cwd,
		cols: Math.max(2, columns),
		rows: Math.max(1, rows),
	});
	return { id: terminal.terminal_id, name: terminal.name };
}

/** How it ended, and how to come back. */
export function sayOutcome(outcome: AttachOutcome, name: string): string {
	if (outcome.kind === "exited") return `terminal ${name} ended with code ${outcome.exitCode}`;
	if (outcome.kind === "detached") return `detached from ${name} (it goes on). Back: /attach ${name}`;
	return `the link to ${name} was lost (it goes on). Back: /attach ${name}`;
}

/** Gives the terminal away and takes it back. The attach lives on the alternate screen, so the transcript is found as it was left. */
export async function runAttach(
	client: DaemonClient,
	named: string | undefined,
	parts: AttachParts,
): Promise<void> {
	const { dispatch, stdout, stdin } = parts;
	const { id, name } = await chooseTerminal(client, named, parts);
	let text = "";
	let isGood = true;
	await parts.suspend(async () => {
		// Ink lets go of the input so that it alone keeps nothing running; now it is all there is.
		stdin.ref();
		try {
			const { env, signal } = parts;
			const outcome = await parts.attachTerminal({
				client,
				terminal: id,
				mode: "drive",
				takeover: false,
				stdin,
				stdout,
				env,
				signal,
			});
			text = sayOutcome(outcome, name);
			isGood = outcome.kind !== "lost";
		} catch (thrown) {
			text = sayError(toAppError(thrown));
			isGood = false;
		} finally {
			stdin.pause();
			// The stream stops reading in the next tick; a listener added before then would wait for ever.
			await new Promise((resolve) => setImmediate(resolve));
		}
	});
	const key = `attach:${id}:${parts.getState().printed.length}:${parts.getState().nowMs}`;
	const look = isGood
		? ({ token: "muted", glyph: "done" } as const)
		: ({ token: "attention", glyph: "failed" } as const);
	dispatch({ type: "printed", cell: { kind: "note", key, done: true, lines: [text], ...look } });
}
