import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { AppError } from "#base/app-error.ts";
import type { ErrorCode } from "#base/error-table.ts";
import type { runTui as RunTui } from "#tui/entry.tsx";
import { connectedState, createFakeDaemonClient } from "./fake-daemon-client.ts";
import { makeTerminal, makeThread } from "./tui-records.ts";

/**
 * The TUI on a fake daemon, for a PTY: argv is the bundle, the control socket, and optionally a thread to open. The test
 * steers it by JSON lines on the socket (`snapshot`, `event`, `state`, `crash`) and hears of calls and the exit code there.
 */
const [, , bundle = "", controlPath = "", threadId] = process.argv;
const { runTui } = (await import(pathToFileURL(bundle).href)) as { runTui: typeof RunTui };
const control = connect(controlPath);
control.unref();

function tell(message: unknown): void {
	control.write(`${JSON.stringify(message)}\n`);
}

tell({ pid: process.pid });
const refusals = new Map<string, string>();
const snapshots = new Map<string, unknown>([
	["chats.state", { threads: [] }],
	["approvals.state", { approvals: [] }],
	["agents.state", { agents: [] }],
	["terminals.state", { terminals: [] }],
]);
const account = {
	provider: "offline",
	model: null,
	login: "none",
	codex_home: "/nowhere",
	detail: "Log in with `codex login`.",
};
const answers = new Map<string, unknown>([
	["chat.account.read", account],
	["chat.create", { thread: makeThread({ provider: "offline", model: null }) }],
	["chat.message.send", { thread_id: "t1", turn_id: "u1", delivery: "started" }],
	["chat.cancel", { thread_id: "t1", turn_id: "u1" }],
	[
		"chat.list",
		{ threads: [makeThread({ thread_id: "t2", agent_name: "bob", title: "older" })], next_cursor: null },
	],
	["terminal.session.start", { terminal: makeTerminal("shell1") }],
]);

const client = createFakeDaemonClient({
	answer(method) {
		const refusal = refusals.get(method);
		if (refusal !== undefined) throw new AppError(refusal as ErrorCode);
		if (!answers.has(method)) throw new AppError("METHOD_NOT_FOUND", `no answer for ${method}`);
		return answers.get(method);
	},
	firstSnapshot: (topic) => snapshots.get(topic),
	onCall: (call) => tell({ call }),
});

interface Order {
	do: "snapshot" | "event" | "answer" | "refuse" | "state" | "connect" | "crash" | "burst";
	name?: string;
	payload?: unknown;
	count?: number;
}

function obey(order: Order): void {
	const { name = "", payload } = order;
	switch (order.do) {
		case "snapshot":
			snapshots.set(name, payload);
			client.snapshot(name, payload);
			return;
		case "event":
			client.event(name, payload);
			return;
		case "answer":
			answers.set(name, payload);
			return;
		case "refuse":
			refusals.set(name, String(payload));
			return;
		case "connect":
			client.setState(connectedState(name === "" ? "epoch-1" : name));
			return;
		case "state":
			client.setState(payload as Parameters<typeof client.setState>[0]);
			return;
		case "burst":
			burst(name, payload, order.count ?? 0);
			return;
		default:
			setImmediate(() => {
				throw new Error("planted crash");
			});
	}
}

/** Many events, a few per turn of the loop, as a socket would bring them. */
function burst(name: string, payload: unknown, count: number): void {
	let sent = 0;
	function some(): void {
		for (let index = 0; index < 5 && sent < count; index += 1, sent += 1) client.event(name, payload);
		if (sent < count) setTimeout(some, 1);
		else tell({ done: "burst" });
	}
	some();
}

createInterface({ input: control }).on("line", (line) => obey(JSON.parse(line) as Order));

const code = await runTui({
	paths: { home: "/nowhere" },
	env: process.env,
	cwd: process.cwd(),
	stdin: process.stdin,
	stdout: process.stdout,
	stderr: process.stderr,
	connect: () => {
		tell({ connected: true });
		return client;
	},
	...(threadId === undefined ? {} : { threadId }),
	signal: new AbortController().signal,
	version: "0.1.0",
	attachTerminal: (options) => {
		const { stdin, stdout, terminal } = options;
		return new Promise((resolve) => {
			stdin.setRawMode(true);
			stdout.write(`\u001b[?1049hattached to ${terminal}\r\n`);
			function onData(data: Buffer | string): void {
				if (!data.toString().includes("d")) return;
				stdin.off("data", onData);
				stdin.setRawMode(false);
				stdout.write("\u001b[?1049l");
				resolve({ kind: "detached" });
			}
			stdin.on("data", onData);
			stdin.resume();
		});
	},
});
tell({ exit: code });
process.exitCode = code;
control.end();
process.stdin.pause();
