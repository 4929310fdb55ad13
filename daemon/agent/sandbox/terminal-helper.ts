import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** What a program sees of a terminal that nobody looks at. */
const SIZE = "stty rows 24 cols 80";
const NO_HELPER = "There is no terminal for commands on this machine: the program `script` was not found.";

/**
 * Wraps an argv so that it runs in a terminal whose master `script` owns, in the sandbox beside the command: the daemon
 * holds none, so that no other program of it can inherit one (docs/adr/0004). The result is a text where there is none.
 */
export function createTerminalHelper(
	env: Readonly<Record<string, string | undefined>>,
	platform: NodeJS.Platform = process.platform,
): (argv: readonly string[]) => readonly string[] | string {
	const program = (env["PATH"] ?? "")
		.split(delimiter)
		.filter((folder) => isAbsolute(folder))
		.map((folder) => join(folder, "script"))
		.find((file) => existsSync(file));
	return (argv) => {
		if (program === undefined) return NO_HELPER;
		const inner = `${SIZE}; exec ${argv.map(quoteForShell).join(" ")}`;
		// BSD's takes the command as words, util-linux's as one text, and echoes only when told where input is no terminal.
		return platform === "darwin"
			? [program, "-q", "/dev/null", "/bin/sh", "-c", inner]
			: [program, "-qef", "-E", "always", "-c", inner, "/dev/null"];
	};
}

function quoteForShell(word: string): string {
	return `'${word.replaceAll("'", "'\\''")}'`;
}
