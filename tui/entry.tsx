import { hostname } from "node:os";
import process from "node:process";
import { type Instance, render } from "ink";
import { type Clock, systemClock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import type { DaemonClient } from "#client/client.ts";
import { App, type SuspendTerminal } from "./component/app.tsx";
import type { AttachTerminal } from "./effect/attach.ts";
import type { EffectRunner } from "./effect/run-effect.ts";
import { printedLines } from "./screen/cell-lines.ts";
import { viewOf } from "./screen/live-region.ts";
import type { Effect } from "./store/action.ts";
import { createState } from "./store/state.ts";
import { createStore, type Store } from "./store/store.ts";
import { guardTerminal, type TerminalGuard } from "./terminal-guard.ts";
import { createTheme, type Theme } from "./theme/theme.ts";

export type { AttachOutcome, AttachTerminal } from "./effect/attach.ts";

export interface TuiOptions {
	/** Where the daemon's files are; the TUI itself reads none of them. */
	readonly paths: { readonly home: string };
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly cwd: string;
	readonly stdin: NodeJS.ReadStream;
	readonly stdout: NodeJS.WriteStream;
	readonly stderr: NodeJS.WriteStream;
	/** Returns at once; the client connects by itself. Called after the first frame. The TUI disposes it. */
	readonly connect: () => DaemonClient;
	/** Starts the daemon if none runs. */
	readonly startDaemon?: () => Promise<void>;
	/** Opens this conversation instead of an empty one. */
	readonly threadId?: string;
	readonly signal: AbortSignal;
	readonly version: string;
	readonly clock?: Clock;
	/** For tests; by default the client library's. */
	readonly attachTerminal?: AttachTerminal;
}

/** Time-dependent rows are brought up to date this often. */
const TICK_MS = 500;
/** How often Ink may write; the store tells it of one change per frame already. */
const MAX_FPS = 60;
/** EX_USAGE: a TUI without a terminal. */
const NO_TERMINAL_CODE = 64;

/** What Ctrl+C and Ctrl+\ end a program with when the terminal makes signals of them. */
const KEY_SIGNAL_CODES: ReadonlySet<number> = new Set([130, 131]);

interface Running {
	readonly options: TuiOptions;
	readonly clock: Clock;
	readonly store: Store;
	readonly theme: Theme;
	readonly guard: TerminalGuard;
	readonly abort: AbortController;
	/** Known once the first frame is drawn. */
	suspend: SuspendTerminal;
	/** For a program that may leave the terminal's own keys on: its Ctrl+C is none of ours. */
	readonly suspendForProgram: SuspendTerminal;
	finish(code: number, error?: unknown): void;
}

function isTimed(store: Store): boolean {
	const state = store.getState();
	return (
		state.turn !== undefined ||
		state.notice?.untilMs !== undefined ||
		state.exitUntilMs !== undefined ||
		state.mail.length > 0 ||
		state.outbox.length > 0 ||
		state.link.kind === "reconnecting"
	);
}

function startTicking({ clock, store, abort }: Running): void {
	function tick(): void {
		if (abort.signal.aborted) return;
		if (isTimed(store)) store.dispatch({ type: "ticked" });
		clock.after(TICK_MS, tick);
	}
	clock.after(TICK_MS, tick);
}

/** Clears the window and writes the newest of the transcript again: for when another program has drawn over it. */
function redraw({ store, theme, options, suspend }: Running): Promise<void> {
	return suspend(async () => {
		const state = store.getState();
		const view = viewOf(state, theme.glyphs);
		const rows: string[] = [];
		for (const cell of state.printed.toReversed()) {
			rows.unshift(...printedLines(cell, view).map(theme.paint));
			if (rows.length >= state.rows) break;
		}
		options.stdout.write(
			`\u001b[H\u001b[J${rows.slice(-state.rows).join("\r\n")}${rows.length > 0 ? "\r\n" : ""}`,
		);
	});
}

const loadAttach: AttachTerminal = async (options) => {
	const { attachTerminal } = await import("#client/node/attach-terminal.ts");
	return attachTerminal(options);
};

/** Everything that talks to the daemon, loaded after the first frame because it brings the schemas. */
async function connectDaemon(running: Running): Promise<{ client: DaemonClient; runner: EffectRunner }> {
	const { options, store, clock, abort } = running;
	const [{ createEffectRunner }, { sayError }, { runAttach }, { editDraft }, { toAppError }] =
		await Promise.all([
			import("./effect/run-effect.ts"),
			import("./effect/error-text.ts"),
			import("./effect/attach.ts"),
			import("./effect/external-editor.ts"),
			import("#base/app-error.ts"),
		]);
	options.startDaemon?.().catch((thrown: unknown) => {
		const text = sayError(toAppError(thrown));
		store.dispatch({ type: "noticed", notice: { text, token: "bad", untilMs: undefined } });
	});
	const client = options.connect();
	const { stdin, stdout, env } = options;
	const attachTerminal = options.attachTerminal ?? loadAttach;
	const runner = createEffectRunner({
		client,
		clock,
		env,
		getState: store.getState,
		dispatch: store.dispatch,
		terminal: {
			attach: (connection, terminal) =>
				runAttach(connection, terminal, {
					attachTerminal,
					suspend: running.suspend,
					stdin,
					stdout,
					env,
					signal: abort.signal,
					getState: store.getState,
					dispatch: store.dispatch,
				}),
			editDraft: (text) =>
				editDraft(text, { suspend: running.suspendForProgram, stdin, env, dispatch: store.dispatch }),
			redraw: () => redraw(running),
			suspend: () => running.suspend(running.guard.stopJob),
			bell: () => void stdout.write("\u0007"),
			exit: running.finish,
		},
	});
	return { client, runner };
}

function draw(running: Running): Instance {
	const { options, store, theme } = running;
	return render(
		<App
			store={store}
			theme={theme}
			onTerminal={(suspend) => {
				running.suspend = suspend;
			}}
		/>,
		{
			stdin: options.stdin,
			stdout: options.stdout,
			stderr: options.stderr,
			exitOnCtrlC: false,
			patchConsole: true,
			interactive: true,
			incrementalRendering: true,
			maxFps: MAX_FPS,
			kittyKeyboard: { mode: options.env["TERM"] === "dumb" ? "disabled" : "auto" },
		},
	);
}

/**
 * Runs the TUI until the person leaves or a signal ends it, and resolves with the exit code: 0 left, 64 no terminal,
 * 70 crashed, 129 SIGHUP, 130 SIGINT or aborted, 143 SIGTERM. The terminal is as it was before, in each case.
 */
export async function runTui(options: TuiOptions): Promise<number> {
	const { stdin, stdout, stderr, env, signal } = options;
	if (!stdin.isTTY || !stdout.isTTY) {
		stderr.write(
			"weave-codex: the TUI needs a terminal. Without one, use `weave-codex exec` or `weave-codex chat`.\n",
		);
		return NO_TERMINAL_CODE;
	}
	const clock = options.clock ?? systemClock;
	const ended = Promise.withResolvers<{ code: number; error: unknown }>();
	const pending: Effect[] = [];
	let runner: EffectRunner | undefined;
	const initial = {
		...createState(
			{ version: options.version, machine: hostname(), cwd: options.cwd, homeDir: env["HOME"] },
			newId(),
			clock.nowMs(),
		),
		columns: stdout.columns || 80,
		rows: stdout.rows || 24,
	};
	const store = createStore({
		initial,
		clock,
		newId,
		onEffect(effect) {
			if (effect.kind === "exit") ended.resolve({ code: effect.code, error: undefined });
			else if (runner) runner.run(effect);
			else pending.push(effect);
		},
	});
	let isAway = false;
	const finish = (code: number, error?: unknown): void => {
		if (!(isAway && KEY_SIGNAL_CODES.has(code))) ended.resolve({ code, error });
	};
	using guard = guardTerminal({ process, stdin, stdout, finish, onStop: () => onStop() });
	const running: Running = {
		options,
		clock,
		store,
		theme: createTheme(env),
		guard,
		abort: new AbortController(),
		suspend: (work) => work(),
		async suspendForProgram(work) {
			isAway = true;
			try {
				await running.suspend(work);
			} finally {
				isAway = false;
			}
		},
		finish,
	};
	function onStop(): void {
		running.suspend(guard.stopJob).catch(() => undefined);
	}
	function onResize(): void {
		store.dispatch({ type: "resized", columns: stdout.columns || 80, rows: stdout.rows || 24 });
	}
	// A signal's own listener knows the better code, and runs in the same turn of the loop.
	const onAbort = (): void => void setImmediate(() => finish(130));
	stdout.on("resize", onResize);
	signal.addEventListener("abort", onAbort, { once: true });

	let instance: Instance | undefined;
	let client: DaemonClient | undefined;
	let outcome: { code: number; error: unknown };
	try {
		if (signal.aborted) onAbort();
		if (options.threadId !== undefined)
			store.dispatch({ type: "thread_opening", threadId: options.threadId });
		instance = draw(running);
		startTicking(running);
		// The first frame is on the screen before anything is loaded for the daemon.
		await new Promise((resolve) => setImmediate(resolve));
		const connected = await connectDaemon(running);
		client = connected.client;
		runner = connected.runner;
		for (const effect of pending.splice(0)) runner.run(effect);
		outcome = await ended.promise;
	} catch (thrown) {
		outcome = { code: 70, error: thrown };
	}
	running.abort.abort();
	stdout.off("resize", onResize);
	signal.removeEventListener("abort", onAbort);
	runner?.[Symbol.dispose]();
	await leave(instance, store, guard);
	await disposeClient(client);
	if (outcome.error !== undefined) tellCrash(stderr, outcome.error);
	const { threadId } = store.getState().slot;
	if (outcome.code === 0 && threadId !== undefined)
		stdout.write(`back to this conversation: weave-codex tui ${threadId}\n`);
	return outcome.code;
}

async function disposeClient(client: DaemonClient | undefined): Promise<void> {
	try {
		await client?.[Symbol.asyncDispose]();
	} catch {
		// The link is going away anyway.
	}
}

/** Takes the live rows off the screen, then gives the terminal back, even when drawing itself is what failed. */
async function leave(instance: Instance | undefined, store: Store, guard: TerminalGuard): Promise<void> {
	try {
		if (!store.getState().isExiting) store.dispatch({ type: "exit_asked", code: 0 });
		store.flush();
		await instance?.waitUntilRenderFlush();
		instance?.unmount();
		await instance?.waitUntilExit();
	} catch {
		// Restored below.
	}
	guard.restore();
}

function tellCrash(stderr: NodeJS.WriteStream, error: unknown): void {
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	stderr.write(
		`weave-codex: the TUI failed; what runs goes on in the daemon. Please report this:\n${text}\n`,
	);
}
