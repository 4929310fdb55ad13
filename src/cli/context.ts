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
			if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
			else if (human !== undefined && human !== "")
				process.stdout.write(human.endsWith("\n") ? human : `${human}\n`);
		},
		say: (line) => void process.stderr.write(`${line}\n`),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}
