import { scriptOf } from "./plain.ts";

/** Words ahead of a command that leave it the command. */
const LEADING = new Set(["if", "then", "else", "elif", "while", "until", "do", "!", "{"]);
/** Shells in shells are followed this deep. */
const MAX_DEPTH = 8;

/**
 * True when somewhere in the script `rm` is called with a force option, however deep in lists, groups, substitutions or
 * nested shells; also behind `sudo` and `env`. Reads loosely: what it cannot read it passes over, since the sandbox and
 * the approval policy judge the command besides.
 */
export function removesByForce(script: string, depth = 0): boolean {
	if (depth > MAX_DEPTH) return false;
	return looseCommands(withoutHeredocs(script)).some((words) => isForcedRemoval(words, depth));
}

function isForcedRemoval(words: readonly string[], depth: number): boolean {
	const name = (words[0] ?? "").replace(/^.*\//, "");
	const rest = words.slice(1);
	if (name === "rm") return hasForce(rest);
	if (name === "sudo") return isForcedRemoval(rest, depth);
	if (name === "env") {
		const at = rest.findIndex((word) => !word.startsWith("-") && !/^\w+=/.test(word));
		return at >= 0 && isForcedRemoval(rest.slice(at), depth);
	}
	const inner = scriptOf(words);
	return inner !== undefined && removesByForce(inner, depth + 1);
}

function hasForce(args: readonly string[]): boolean {
	const end = args.indexOf("--");
	return (end < 0 ? args : args.slice(0, end)).some(
		(arg) => arg === "--force" || (/^-[^-]/.test(arg) && arg.includes("f")),
	);
}

/** The text without the lines that here-documents feed to a program. */
function withoutHeredocs(script: string): string {
	const kept: string[] = [];
	let until: string | undefined;
	for (const line of script.split("\n")) {
		if (until === undefined) {
			kept.push(line);
			until = /<<-?\s*(['"]?)(\w+)\1/.exec(line)?.[2];
		} else if (line.trim() === until) until = undefined;
	}
	return kept.join("\n");
}

/** Every run of words between the operators of the shell, quotes resolved, assignments and keywords ahead of it dropped. */
function looseCommands(script: string): string[][] {
	const commands: string[][] = [];
	let words: string[] = [];
	const finish = (): void => {
		let first = 0;
		while (LEADING.has(words[first] ?? "") || /^[A-Za-z_]\w*\+?=/.test(words[first] ?? "")) first += 1;
		if (words.length > first) commands.push(words.slice(first));
		words = [];
	};
	for (const token of script.match(TOKEN) ?? []) {
		if (/^(?:[;&|()`\n]|\$\()/.test(token)) finish();
		else if (token.trim() !== "") words.push(unquoted(token));
	}
	finish();
	return commands;
}

/** A blank, an operator, or a word with its quoted parts. */
const TOKEN =
	/[ \t\r]+|\$\(|[;&|()`\n]|(?:'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\\[\s\S]|\$(?!\()|[^\s;&|()`$'"\\]|['"\\])+/g;

function unquoted(token: string): string {
	return token.replaceAll(/'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"/g, (_match, single, double) =>
		typeof single === "string" ? single : String(double).replaceAll(/\\(["\\$`])/g, "$1"),
	);
}
