import { isAbsolute, join, resolve } from "node:path";
import { parseShell, type ShellCommand, type ShellWord } from "./parse.ts";

/** What a command names of the file system, as far as its text tells. */
export interface CommandPaths {
	/** Absolute, not resolved; every word that could be a path counts. */
	readonly paths: readonly string[];
	/** False when a variable, a glob or unknown syntax hides paths. */
	readonly complete: boolean;
}

/** Lists candidate paths, `cd` followed on the way. */
export function listCommandPaths(text: string, cwd: string, userHome: string | undefined): CommandPaths {
	const commands = parseShell(text);
	if (commands === undefined) return { paths: looseCandidates(text, cwd, userHome), complete: false };
	const paths: string[] = [];
	let complete = true;
	let base = cwd;
	for (const command of commands) {
		for (const word of candidates(command)) {
			if (word.dynamic || word.glob) complete = false;
			paths.push(toPath(word.text, base, userHome));
			const value = word.text.includes("=") ? word.text.slice(word.text.indexOf("=") + 1) : "";
			if (value !== "") paths.push(toPath(value, base, userHome));
		}
		const target = command.words[1];
		if (command.words[0]?.text === "cd" && target !== undefined) base = toPath(target.text, base, userHome);
	}
	return { paths, complete };
}

function candidates(command: ShellCommand): readonly ShellWord[] {
	return [...command.words.slice(1), ...command.redirects.map((redirect) => redirect.target)];
}

function toPath(word: string, base: string, userHome: string | undefined): string {
	const home = userHome ?? "/";
	const expanded = word.replace(/^~(?=\/|$)/, home).replace(/^\$HOME(?=\/|$)/, home);
	return isAbsolute(expanded) ? resolve(expanded) : join(base, expanded);
}

function looseCandidates(text: string, cwd: string, userHome: string | undefined): string[] {
	const words = text.replaceAll(/\$\{HOME\}/g, "$HOME").split(/[\s'"`(){}<>;|&=]+/);
	return words
		.filter((word) => word !== "" && !word.startsWith("-"))
		.map((word) => toPath(word, cwd, userHome));
}
