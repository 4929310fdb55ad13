import { type ChildProcess, spawn } from "node:child_process";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { createLineReader } from "#daemon/transport/uds/line-reader.ts";

export interface StdioServer {
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string;
	readonly env: Readonly<Record<string, string>>;
}

/** One message is no longer than this; a server that sends more is cut off. */
const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;
const GRACE_MS = 1_000;

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
	try {
		if (child.pid !== undefined) process.kill(-child.pid, signal);
	} catch {
		// It has ended meanwhile.
	}
}

const wording: Readonly<Record<string, string>> = {
	ENOENT: "No such file or directory (os error 2)",
	EACCES: "Permission denied (os error 13)",
};

/**
 * A server as a child process in its own group, JSON lines on its stdin and stdout, its stderr dropped. Closing ends the
 * whole group; a daemon that is killed closes its stdin.
 */
export function createStdioTransport(server: StdioServer): Transport {
	let child: ChildProcess | undefined;
	const reader = createLineReader(MESSAGE_MAX_BYTES);

	function tell(line: string): void {
		try {
			transport.onmessage?.(JSON.parse(line) as JSONRPCMessage);
		} catch (error) {
			// Servers print other things too; what is no message is skipped.
			transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
		}
	}

	function take(chunk: Buffer): void {
		for (const event of reader.push(chunk)) {
			if ("line" in event) tell(event.line);
			else if (child) signalGroup(child, "SIGKILL");
		}
	}

	const transport: Transport = {
		start() {
			return new Promise((resolve, reject) => {
				const started = spawn(server.command, [...server.args], {
					cwd: server.cwd,
					env: { ...server.env },
					stdio: ["pipe", "pipe", "ignore"],
					detached: true,
				});
				child = started;
				started.once("spawn", resolve);
				started.once("error", (error: NodeJS.ErrnoException) =>
					reject(new Error(wording[error.code ?? ""] ?? error.message)),
				);
				started.once("close", () => {
					child = undefined;
					transport.onclose?.();
				});
				started.stdin?.on("error", () => undefined);
				started.stdout?.on("data", take);
			});
		},
		send(message) {
			return new Promise((resolve, reject) => {
				if (!child?.stdin?.writable) {
					reject(new Error("Transport closed"));
					return;
				}
				child.stdin.write(`${JSON.stringify(message)}\n`, () => resolve());
			});
		},
		async close() {
			const running = child;
			if (running === undefined) return;
			const ended = new Promise<void>((resolve) => running.once("close", () => resolve()));
			running.stdin?.end();
			signalGroup(running, "SIGTERM");
			const bound = setTimeout(() => signalGroup(running, "SIGKILL"), GRACE_MS);
			await ended;
			clearTimeout(bound);
		},
	};
	return transport;
}
