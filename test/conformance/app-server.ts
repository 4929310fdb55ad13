import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { StartServer } from "../support/codex-drive.ts";

/** A server that stays after its input ended is ended by force. */
const STOP_MS = 5_000;

/** Starts an app-server command line in the driver's homes; messages go over its stdin and stdout. */
export function startCommand(
	argv: readonly [string, ...string[]],
	extraEnv: Readonly<Record<string, string>> = {},
): StartServer {
	return async ({ cwd, env, args: more }, receive) => {
		const [program, ...args] = argv;
		const child = spawn(program, [...args, ...(more ?? [])], {
			cwd,
			env: { ...env, ...extraEnv },
			stdio: ["pipe", "pipe", "ignore"],
		});
		const exited = once(child, "exit");
		createInterface({ input: child.stdout }).on("line", receive);
		child.stdin.on("error", () => undefined);
		return {
			send: (text) => void child.stdin.write(`${text}\n`),
			async stop() {
				child.stdin.end();
				const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
				await exited;
				clearTimeout(timer);
			},
		};
	};
}
