import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { AppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import type { Paths } from "#platform/paths.ts";
import type { CodexLink } from "../link.ts";
import { createLineLink } from "../listener/line-wire.ts";
import { CODEX_VERSION } from "../version.ts";
import { createEarlyLink } from "./early-link.ts";
import { assertSameCodexHome, connectToDaemon, pipeToDaemon } from "./join.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { Overrides } from "./override.ts";
import { overrideLink } from "./override-link.ts";

export interface AppServerOptions {
	paths: Paths;
	env: Readonly<Record<string, string | undefined>>;
	stdin: Readable;
	stdout: Writable;
	/** One line for the person, to stderr. */
	say(line: string): void;
	/** Ends a joined server; the process's own signals end one that is the daemon. */
	signal: AbortSignal;
	address: ListenAddress;
	tokenFile: string | undefined;
	overrides: Overrides;
}

/** Somebody else who has the lock is on its way to its socket; a slow disk with a large database takes this long. */
const WINNER_WAIT_MS = 20_000;
const WINNER_POLL_MS = 25;

type Outcome = { exitCode: number } | "somebody else is the daemon";

/** Serves a running daemon's threads until the input, the daemon or `signal` ends; undefined when no daemon answers. */
async function serveJoined(options: AppServerOptions): Promise<number | undefined> {
	const { paths, stdin, stdout, address, signal } = options;
	const socket = await connectToDaemon(paths);
	if (!socket) return undefined;
	try {
		assertSameCodexHome(paths);
		signal.addEventListener("abort", () => socket.destroy(), { once: true });
		if (address.kind === "stdio") {
			await pipeToDaemon(socket, { stdin, stdout }, options.overrides);
			return 0;
		}
		const { openExtraListener } = await import("./extra-listener.ts");
		await using listener = await openExtraListener(address, options);
		if (listener) options.say(`listening on: ${listener.address}`);
		// Nothing is said on this connection; it ends with the daemon, which is noticed while it is read alone.
		socket.resume();
		socket.once("end", () => socket.destroy());
		await new Promise((resolve) => socket.once("close", resolve));
		return 0;
	} finally {
		socket.destroy();
	}
}

/** The client on stdin, greeted before the daemon is there; what it says next waits for it. */
async function meetClient({ paths, stdin, stdout, overrides }: AppServerOptions): Promise<CodexLink> {
	const link = createLineLink({ label: "stdio", kind: "stdio", input: stdin, output: stdout });
	const place = { codexHome: paths.codexHome, protocol: CODEX_VERSION };
	const early = createEarlyLink(link, { ...place, hold: () => stdin.pause() });
	// What a client wrote while this process started is read now; loading the rest leaves no room for it.
	await pause(0);
	return overrideLink(early, overrides);
}

/** Is the daemon until its input, or with another listener a signal, ends it. */
async function serveAsDaemon(options: AppServerOptions): Promise<Outcome> {
	const { paths, env, address } = options;
	const { serveDaemon } = await import("#daemon/main.ts");
	await using stack = new AsyncDisposableStack();
	let client: CodexLink | undefined;
	try {
		const exitCode = await serveDaemon({
			paths,
			env,
			async onLocked() {
				if (address.kind === "stdio") client = await meetClient(options);
			},
			async onReady({ codex, stop }) {
				// A signal that came before the daemon minded them.
				if (options.signal.aborted) stop("a signal");
				if (client !== undefined) {
					client.onClose(() => stop("the client's input ended"));
					codex.connect(client);
					options.stdin.resume();
					return;
				}
				const { openExtraListener } = await import("./extra-listener.ts");
				const listener = await openExtraListener(address, options);
				if (!listener) return;
				stack.use(listener);
				options.say(`listening on: ${listener.address}`);
			},
		});
		return { exitCode };
	} catch (error) {
		if (error instanceof AppError && error.code === "DAEMON_ALREADY_RUNNING")
			return "somebody else is the daemon";
		throw error;
	}
}

/**
 * Serves the Codex app-server protocol and resolves with the exit code: joins the daemon that lives in this home, or is
 * it until the input ends. @throws AppError CONFIG_INVALID for another Codex home; why a daemon cannot start.
 */
export async function runAppServer(options: AppServerOptions): Promise<number> {
	const giveUpMs = systemClock.monotonicMs() + WINNER_WAIT_MS;
	for (;;) {
		const joined = await serveJoined(options);
		if (joined !== undefined) return joined;
		const outcome = await serveAsDaemon(options);
		if (outcome !== "somebody else is the daemon") return outcome.exitCode;
		if (systemClock.monotonicMs() > giveUpMs)
			throw new AppError("DAEMON_UNAVAILABLE", `The daemon of ${options.paths.home} does not answer.`);
		await pause(WINNER_POLL_MS, undefined, { signal: options.signal });
	}
}
