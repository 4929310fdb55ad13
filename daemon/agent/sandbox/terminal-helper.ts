import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { TerminalSize } from "../environment.ts";

/** What a program sees of a terminal that nobody looks at. */
const SIZE: TerminalSize = { rows: 24, cols: 80 };
/** Sizes that come as lines on descriptor 3 are given to the terminal; it ends with the terminal's foreground. */
const FOLLOW = '{ while read -r r c <&3; do stty rows "$r" cols "$c" </dev/tty; done; } 2>/dev/null &';
const NO_HELPER = "There is no terminal for commands on this machine: the program `script` was not found.";

/**
 * Wraps an argv so that it runs in a terminal whose master `script` owns, in the sandbox beside the command: the daemon
 * holds none, so that no other program of it can inherit one (docs/adr/0004). The result is a text where there is none.
 */
export function createTerminalHelper(
	env: Readonly<Record<string, string | undefined>>,
	platform: NodeJS.Platform = process.platform,
): (argv: readonly string[], size?: TerminalSize) => readonly string[] | string {
	const program = (env["PATH"] ?? "")
		.split(delimiter)
		.filter((folder) => isAbsolute(folder))
		.map((folder) => join(folder, "script"))
		.find((file) => existsSync(file));
	return (argv, size) => {
		if (program === undefined) return NO_HELPER;
		const { rows, cols } = size ?? SIZE;
		// Only who names a size can change it later.
		const follow = size === undefined ? "" : `${FOLLOW} `;
		const closed = size === undefined ? "" : " 3<&-";
		const inner = `stty rows ${rows} cols ${cols}; ${follow}exec ${argv.map(quoteForShell).join(" ")}${closed}`;
		// BSD's takes the command as words, util-linux's as one text, and echoes only when told where input is no terminal.
		return platform === "darwin"
			? [program, "-q", "/dev/null", "/bin/sh", "-c", inner]
			: [program, "-qef", "-E", "always", "-c", inner, "/dev/null"];
	};
}

function quoteForShell(word: string): string {
	return `'${word.replaceAll("'", "'\\''")}'`;
}
