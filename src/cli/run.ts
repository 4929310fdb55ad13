import { AppError, toAppError } from "#base/app-error.ts";
import { ERROR_TABLE } from "#base/error-table.ts";
import { showUnseen } from "#base/visible-text.ts";
import { resolvePaths } from "#platform/paths.ts";
import { createContext } from "./context.ts";
import type { CommandDescriptor, CommandInput, ProgramName } from "./descriptor.ts";
import { watchOutput } from "./output-watch.ts";

interface Signals extends Disposable {
	readonly signal: AbortSignal;
	abort(reason: AppError): void;
}

/** The first INT, TERM or HUP aborts with a cause that knows its exit code; a second INT ends at once as the system would. */
function watchSignals(): Signals {
	const controller = new AbortController();
	function onInterrupt(): void {
		controller.abort(new AppError("CANCELLED", "Interrupted."));
		process.removeListener("SIGINT", onInterrupt);
	}
	function onTerminate(): void {
		controller.abort(new AppError("CANCELLED", "Terminated.", { data: { exit: 143 } }));
	}
	process.on("SIGINT", onInterrupt);
	process.on("SIGTERM", onTerminate);
	process.on("SIGHUP", onTerminate);
	return {
		signal: controller.signal,
		abort: (reason) => controller.abort(reason),
		[Symbol.dispose]() {
			process.removeListener("SIGINT", onInterrupt);
			process.removeListener("SIGTERM", onTerminate);
			process.removeListener("SIGHUP", onTerminate);
		},
	};
}

function exitCodeOf(error: AppError): number {
	const exit = error.data?.["exit"];
	return typeof exit === "number" ? exit : error.exitCode;
}

/**
 * The table's remedies speak of requests and of files; where the person typed the words, it is those that are wrong.
 * Only `call` lets a person write a request.
 */
function remedyOf(error: AppError, command: string): string {
	const typed = error.data?.["typed"] === true || (error.code === "INVALID_PARAMS" && command !== "call");
	return typed ? ERROR_TABLE.USAGE.remedy : error.remedy;
}

function report(program: ProgramName, error: AppError, asked: { json: boolean; command: string }): void {
	if (error.code === "CANCELLED") return;
	const remedy = remedyOf(error, asked.command);
	if (asked.json) process.stderr.write(`${JSON.stringify({ error: error.toWire(), remedy })}\n`);
	else process.stderr.write(`${program}: ${showUnseen(error.message)}\n  ${remedy}\n`);
	if (error.code === "INTERNAL" && error.cause instanceof Error && process.env["WEAVE_DEBUG"]) {
		process.stderr.write(`${error.cause.stack ?? error.cause.message}\n`);
	}
}

type RunCommand = (command: CommandDescriptor, input: CommandInput) => Promise<number>;

/** Fifty commands and the parser of their words cost a quarter of a start, which an editor that spawns a server waits for. */
async function parseAndRun(program: ProgramName, argv: readonly string[], run: RunCommand): Promise<number> {
	if (program === "weave-codex" && argv.length === 1 && argv[0] === "app-server") {
		const { appServerCommand } = await import("./command/app-server.ts");
		return run(appServerCommand, { args: [], options: {} });
	}
	const [{ COMMANDS }, { buildProgram }] = await Promise.all([
		import("./command/index.ts"),
		import("./program.ts"),
	]);
	return buildProgram(program, COMMANDS, run)(argv);
}

/** Parses, runs and reports one command; resolves with the exit code (docs/reference/exit-codes.md). */
export async function runCommandLine(program: ProgramName, argv: readonly string[]): Promise<number> {
	using signals = watchSignals();
	const output = watchOutput(process, signals.abort);
	// Also told apart before the words are understood: who asks for JSON gets errors as JSON.
	const asked = { json: argv.includes("--json"), command: argv[0] ?? "" };
	async function run(command: CommandDescriptor, input: CommandInput): Promise<number> {
		const json = input.options["json"] === true;
		asked.json = json;
		asked.command = command.name;
		const paths = resolvePaths(process.env);
		await using context = createContext({ program, paths, json, signal: signals.signal });
		return (await command.run(context, input)) ?? 0;
	}
	try {
		const exitCode = await parseAndRun(program, argv, run);
		await output.flush();
		return exitCode;
	} catch (thrown) {
		const error = toAppError(thrown);
		report(program, error, asked);
		return exitCodeOf(error);
	}
}
