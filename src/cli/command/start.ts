import { AppError } from "#base/app-error.ts";
import type { Listener } from "#platform/discovery.ts";
import { VERSION } from "#protocol/limits.ts";
import { type CliContext, type CommandInput, defineCommand } from "../descriptor.ts";
import { LISTEN_OPTIONS, type ListenFlags, parseListenFlags } from "../listen-flags.ts";

interface Found {
	pid: number;
	listeners: readonly Listener[];
	alreadyRunning: boolean;
}

/** The daemon that answers, undefined when none does. @throws AppError DAEMON_VERSION_MISMATCH. */
async function findRunning(context: CliContext): Promise<Found | undefined> {
	const { rpcOnce } = await import("#client/node/rpc-once.ts");
	let answer: unknown;
	try {
		answer = await rpcOnce(context.paths, "daemon.status", {}, { timeoutMs: 5_000, signal: context.signal });
	} catch (error) {
		if (error instanceof AppError && error.code === "DAEMON_UNAVAILABLE") return undefined;
		throw error;
	}
	const { pid, version, listeners } = answer as { pid: number; version: string; listeners: Listener[] };
	if (version !== VERSION) {
		throw new AppError(
			"DAEMON_VERSION_MISMATCH",
			`A daemon of version ${version} runs in this home (pid ${pid}); this is ${VERSION}.`,
		);
	}
	return { pid, listeners, alreadyRunning: true };
}

async function findOrStart(context: CliContext, input: ListenFlags): Promise<Found> {
	const running = await findRunning(context);
	if (running) return running;
	const { startDaemon } = await import("../start-daemon.ts");
	try {
		return { ...(await startDaemon(context.paths, input)), alreadyRunning: false };
	} catch (error) {
		if (!(error instanceof AppError) || error.code !== "DAEMON_ALREADY_RUNNING") throw error;
		// Somebody else started it a moment before; theirs is as good as ours.
		const winner = await findRunning(context);
		if (!winner) throw error;
		return winner;
	}
}

function describe({ pid, listeners, alreadyRunning }: Found): string {
	const places = listeners.map((listener) => listener.address).join(", ");
	return `weave-codex ${VERSION} ${alreadyRunning ? "already runs" : "started"} (pid ${pid}), listening on ${places}`;
}

/** Who asked for another port must not believe that it is served. */
function tellIgnored(context: CliContext, { alreadyRunning, listeners }: Found, asked: ListenFlags): void {
	if (!alreadyRunning) return;
	const http = listeners.find((listener) => listener.kind === "http")?.address;
	const other = asked.port !== undefined && asked.port !== 0 && http?.endsWith(`:${asked.port}`) !== true;
	if (other || (asked.web === false && http !== undefined))
		context.say("It listens as it was started; to change that: weave-codex restart, with the same options.");
}

async function run(context: CliContext, input: CommandInput): Promise<number> {
	const start = parseListenFlags(input);
	if (input.options["foreground"] === true) {
		const { closeInheritedDescriptors } = await import("#platform/inherited-descriptors.ts");
		closeInheritedDescriptors(context.env);
		const { runDaemon } = await import("#daemon/main.ts");
		return runDaemon({ paths: context.paths, env: context.env, foreground: true, ...start });
	}
	const wantsTui =
		input.options["tui"] !== false && context.stdin.isTTY && context.stdout.isTTY && !context.json;
	if (!wantsTui) {
		const found = await findOrStart(context, start);
		context.print(
			{ pid: found.pid, version: VERSION, already_running: found.alreadyRunning, listeners: found.listeners },
			describe(found),
		);
		tellIgnored(context, found, start);
		return 0;
	}
	// Without settings of its own the daemon is started beside the first frame instead of before it.
	if (start.port !== undefined || start.web !== undefined) await findOrStart(context, start);
	const { openTui } = await import("../open-tui.ts");
	return openTui(context);
}

export const startCommand = defineCommand({
	program: "weave-codex",
	name: "start",
	summary: "Start the daemon; on a terminal also open the terminal UI.",
	description:
		"Off a terminal, or with --no-tui, one line says where the daemon listens and the command returns when it answers. A daemon that runs already is left as it is, and that is success.",
	options: [
		{ flags: "--foreground", summary: "be the daemon: stay in the foreground until stopped" },
		{ flags: "--no-tui", summary: "do not open the terminal UI" },
		...LISTEN_OPTIONS,
	],
	examples: [
		{ command: "weave-codex start", says: "daemon and terminal UI" },
		{ command: "weave-codex start --no-tui --no-web", says: "headless, command line only" },
		{ command: "weave-codex start --foreground", says: "under a supervisor" },
	],
	json: true,
	run,
});
