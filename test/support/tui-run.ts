import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FakeCall } from "./fake-daemon-client.ts";
import { type PtyRun, runInPty } from "./pty-run.ts";

/** The bundle to test: this checkout's, or another one for a run on the side. */
const DIST = process.env["WEAVE_TEST_DIST"] ?? join(import.meta.dirname, "../../dist");
const FIXTURE = join(import.meta.dirname, "tui-fixture.ts");

/** The TUI in a PTY with its daemon played by the test. */
export interface TuiRun extends AsyncDisposable {
	readonly pty: PtyRun;
	readonly screen: PtyRun["screen"];
	readonly calls: readonly FakeCall[];
	send(keys: string): void;
	see(want: Parameters<PtyRun["waitForText"]>[0]): Promise<void>;
	order(order: { do: string; name?: string; payload?: unknown; count?: number }): void;
	/** Resolves once a call that matches was made, also an earlier one. */
	called(method: string, check?: (call: FakeCall) => boolean): Promise<FakeCall>;
	/** The TUI's own process, also under a shell. */
	readonly tuiPid: number;
	/** Resolves when the fixture says that a burst is out. */
	burstDone(): Promise<void>;
}

interface Options {
	cols?: number;
	rows?: number;
	threadId?: string;
	env?: Record<string, string | undefined>;
	/** Runs inside this shell command line; `$TUI` is the TUI's own. */
	shell?: string;
	/** Leaves the link connecting until the test says otherwise. */
	isOffline?: boolean;
}

export async function runTuiInPty(options: Options = {}): Promise<TuiRun> {
	const dir = await mkdtemp(join(tmpdir(), "tui-"));
	const path = join(dir, "control.sock");
	const calls: FakeCall[] = [];
	const waiters = new Set<() => void>();
	let isBurstDone = false;
	const pidReady = Promise.withResolvers<number>();
	const socketReady = Promise.withResolvers<Socket>();
	const server = createServer((socket) => {
		socketReady.resolve(socket);
		socket.on("error", () => undefined);
		createInterface({ input: socket }).on("line", (line) => {
			const message = JSON.parse(line) as { call?: FakeCall; done?: string; pid?: number };
			if (message.pid !== undefined) pidReady.resolve(message.pid);
			if (message.call) calls.push(message.call);
			if (message.done === "burst") isBurstDone = true;
			for (const waiter of [...waiters]) waiter();
		});
	});
	await new Promise<void>((resolve) => server.listen(path, resolve));
	const command = [
		process.execPath,
		FIXTURE,
		join(DIST, "tui.js"),
		path,
		...(options.threadId === undefined ? [] : [options.threadId]),
	];
	const env = { ...process.env, NODE_ENV: undefined, CI: undefined, LANG: "C.UTF-8", ...options.env };
	const pty = runInPty({
		argv:
			options.shell === undefined
				? (command as [string, ...string[]])
				: ["/bin/bash", "-c", options.shell.replaceAll("$TUI", command.join(" "))],
		env,
		cols: options.cols ?? 80,
		rows: options.rows ?? 24,
	});
	const socket = await socketReady.promise;
	const tuiPid = await pidReady.promise;
	function order(message: unknown): void {
		socket.write(`${JSON.stringify(message)}\n`);
	}
	function until<T>(what: string, find: () => T | undefined): Promise<T> {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				waiters.delete(check);
				reject(
					new Error(
						`never: ${what}; calls: ${calls.map((call) => call.method).join(", ")}\n${pty.screen.text()}`,
					),
				);
			}, 10_000);
			function check(): void {
				const found = find();
				if (found === undefined) return;
				clearTimeout(timer);
				waiters.delete(check);
				resolve(found);
			}
			waiters.add(check);
			check();
		});
	}
	if (!options.isOffline) order({ do: "connect" });
	return {
		pty,
		screen: pty.screen,
		calls,
		tuiPid,
		send: pty.send,
		see: (want) => pty.waitForText(want),
		order,
		called: (method, check = () => true) =>
			until(`call ${method}`, () => calls.find((call) => call.method === method && check(call))),
		burstDone: () => until("burst", () => (isBurstDone ? true : undefined)).then(() => undefined),
		async [Symbol.asyncDispose]() {
			await pty[Symbol.asyncDispose]();
			socket.destroy();
			await new Promise<void>((resolve) => void server.close(() => resolve()));
			await rm(dir, { recursive: true, force: true });
		},
	};
}
