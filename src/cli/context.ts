import { escapeUnseenJson, showUnseen } from "#base/visible-text.ts";
import type { DaemonClient } from "#client/client.ts";
import type { Paths } from "#platform/paths.ts";
import type { CliContext, ProgramName } from "./descriptor.ts";

interface ContextOptions {
	program: ProgramName;
	paths: Paths;
	json: boolean;
	signal: AbortSignal;
}

/** The process's own streams and environment as a CliContext; disposing closes the connections it made. */
export function createContext({
	program,
	paths,
	json,
	signal,
}: ContextOptions): CliContext & AsyncDisposable {
	const owned = new AsyncDisposableStack();
	async function connect(): Promise<DaemonClient> {
		const { connectLocal } = await import("#client/node/connect-local.ts");
		const client = owned.use(connectLocal(paths, { kind: "cli", failFast: true }));
		await client.ready();
		return client;
	}
	return {
		program,
		stdin: process.stdin,
		stdout: process.stdout,
		stderr: process.stderr,
		env: process.env,
		cwd: process.cwd(),
		paths,
		signal,
		json,
		connect,
		async connectOrStart() {
			const { ensureDaemon } = await import("./ensure-daemon.ts");
			await ensureDaemon(paths);
			return connect();
		},
		print(value, human) {
			// A pipe gets the text as it is; a terminal would obey what a model or a program put into it.
			const isTerminal = process.stdout.isTTY;
			if (json) {
				const line = JSON.stringify(value);
				process.stdout.write(`${isTerminal ? escapeUnseenJson(line) : line}\n`);
			} else if (human !== undefined && human !== "") {
				const text = isTerminal ? showUnseen(human) : human;
				process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
			}
		},
		say: (line) => void process.stderr.write(`${process.stderr.isTTY ? showUnseen(line) : line}\n`),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}
