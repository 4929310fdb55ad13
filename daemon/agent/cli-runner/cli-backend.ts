import { AppError } from "#base/app-error.ts";
import type { RunTurn } from "#daemon/agent/loop-port.ts";
import { type RunnerKind, runnerKindSchema, type ThreadSettings } from "#protocol/record.ts";
import type { CodexRequestHandler } from "./codex-process.ts";
import { type CodexServer, type CodexServerOptions, createCodexServer } from "./codex-server.ts";
import { createProviderThreadBook } from "./provider-thread.ts";
import { createCliTurns } from "./run-cli-turn.ts";

export interface CliBackendOptions extends Omit<CodexServerOptions, "onRequest"> {
	/** The program has a thread of its own for one of ours, by this id. */
	readonly onThreadMade: (threadId: string, providerThreadId: string) => Promise<void>;
	readonly embedded: RunTurn;
}

/** Which backend runs turns of threads that name none. @throws AppError CONFIG_INVALID. */
export function defaultBackend(env: Readonly<Record<string, string | undefined>>): RunnerKind {
	const named = env["HOMIE_AGENT_BACKEND"];
	if (named === undefined || named === "") return "embedded";
	const parsed = runnerKindSchema.safeParse(named);
	if (parsed.success) return parsed.data;
	throw new AppError("CONFIG_INVALID", `HOMIE_AGENT_BACKEND is ${named}; it can be embedded or cli.`);
}

/** The two ways to run a turn as one. Disposing ends the program. */
export interface CliBackend extends AsyncDisposable {
	readonly runTurn: RunTurn;
	/** Whether turns with these settings are run by the embedded loop. */
	isEmbedded(settings: ThreadSettings | undefined): boolean;
	/** Ends the commands that a turn left running at the program. */
	killTurn(turnId: string): void;
}

/** Runs each turn where its thread's settings, else HOMIE_AGENT_BACKEND, say. The program starts at its first turn. */
export function createCliBackend(options: CliBackendOptions): CliBackend {
	const { embedded } = options;
	const usual = defaultBackend(options.env);
	let server: CodexServer | undefined;
	const book = createProviderThreadBook(options.onThreadMade);
	const onRequest: CodexRequestHandler = (request) => turns.onRequest(request);

	function open(): CodexServer {
		server ??= createCodexServer({ ...options, onRequest });
		return server;
	}
	const turns = createCliTurns(open, book);

	const isEmbedded = (settings: ThreadSettings | undefined): boolean =>
		(settings?.runner ?? usual) === "embedded";

	return {
		isEmbedded,
		runTurn(input, ports, signal) {
			const run = isEmbedded(ports.toolContext("").settings) ? embedded : turns.runTurn;
			return run(input, ports, signal);
		},
		killTurn(turnId) {
			turns
				.killTurn(turnId)
				.catch((error: unknown) =>
					options.logger.warn("a turn's commands run on", { turn_id: turnId, error: String(error) }),
				);
		},
		async [Symbol.asyncDispose]() {
			await server?.[Symbol.asyncDispose]();
		},
	};
}
