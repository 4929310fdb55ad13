import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { RunTurn } from "#daemon/agent/loop-port.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import { type RunnerKind, runnerKindSchema } from "#protocol/record.ts";
import type { CodexRequestHandler } from "./codex-process.ts";
import { type CodexServer, createCodexServer } from "./codex-server.ts";
import { createProviderThreadBook, type ProviderThreads } from "./provider-thread.ts";
import { createCliTurns } from "./run-cli-turn.ts";

export interface CliBackendOptions {
	/** Ids of the program's threads. */
	readonly threads: ProviderThreads;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly codexHome: string;
	/** Where the program is started. */
	readonly cwd: string;
	readonly version: string;
	readonly clock: Clock;
	readonly random: () => number;
	readonly logger: Logger;
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

/** Runs each turn where its thread's settings, else HOMIE_AGENT_BACKEND, say. The program starts at its first turn. */
export function createCliBackend(
	options: CliBackendOptions,
): AsyncDisposable & { readonly runTurn: RunTurn } {
	const { embedded } = options;
	const usual = defaultBackend(options.env);
	let server: CodexServer | undefined;
	const book = createProviderThreadBook(options.threads);
	const onRequest: CodexRequestHandler = (request) => turns.onRequest(request);

	function open(): CodexServer {
		server ??= createCodexServer({ ...options, onRequest });
		return server;
	}
	const turns = createCliTurns(open, book);

	return {
		runTurn(input, ports, signal) {
			const kind = ports.toolContext("").settings?.runner ?? usual;
			return (kind === "cli" ? turns.runTurn : embedded)(input, ports, signal);
		},
		async [Symbol.asyncDispose]() {
			await server?.[Symbol.asyncDispose]();
		},
	};
}
