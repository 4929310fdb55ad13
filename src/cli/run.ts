import { AppError, toAppError } from "#base/app-error.ts";
import { resolvePaths } from "#platform/paths.ts";
import { COMMANDS } from "./command/index.ts";
import { createContext } from "./context.ts";
import type { CommandDescriptor, CommandInput, ProgramName } from "./descriptor.ts";
import { buildProgram, isUsageError } from "./program.ts";

interface Signals extends Disposable {
	readonly signal: AbortSignal;
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

function report(program: ProgramName, error: AppError, json: boolean): void {
	if (error.code === "CANCELLED") return;
	if (json) process.stderr.write(`${JSON.stringify({ error: error.toWire(), remedy: error.remedy })}\n`);
	else process.stderr.write(`${program}: ${error.message}\n  ${error.remedy}\n`);
	if (error.code === "INTERNAL" && error.cause instanceof Error && process.env["WEAVE_DEBUG"]) {
		process.stderr.write(`${error.cause.stack ?? error.cause.message}\n`);
	}
}

/** Parses, runs and reports one command; resolves with the exit code (docs/reference/exit-codes.md). */
export async function runCommandLine(program: ProgramName, argv: readonly string[]): Promise<number> {
	// A reader that went away (`| head`) is no error of ours.
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code !== "EPIPE") throw error;
	});
	using signals = watchSignals();
	let json = false;
	async function run(command: CommandDescriptor, input: CommandInput): Promise<number> {
		json = input.options["json"] === true;
		const paths = resolvePaths(process.env);
		await using context = createContext({ program, paths, json, signal: signals.signal });
		return (await command.run(context, input)) ?? 0;
	}
	try {
		return await buildProgram(program, COMMANDS, run)(argv);
	} catch (thrown) {
		if (isUsageError(thrown)) return thrown.exitCode;
		const error = toAppError(thrown);
		report(program, error, json);
		return exitCodeOf(error);
	}
}
