import { VERSION } from "#protocol/limits.ts";
import type { ProgramName } from "./descriptor.ts";

/**
 * Runs one command line and resolves with the exit code; never throws. `--version` answers before anything is loaded,
 * because it is what scripts ask in loops (contracts.md 6: at most twice `node -e 0`).
 */
export async function main(program: ProgramName, argv: readonly string[]): Promise<number> {
	if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
		process.stdout.write(`${program} ${VERSION}\n`);
		return 0;
	}
	const { runCommandLine } = await import("./run.ts");
	return runCommandLine(program, argv);
}
