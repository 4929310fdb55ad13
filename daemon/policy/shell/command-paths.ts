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
	let base = cwd;
	for (const command of commands) {
		for (const word of candidates(command)) paths.push(...wordPaths(word, base, userHome));
		const target = command.words[1];
		if (command.words[0]?.text === "cd" && target !== undefined) base = toPath(target.text, base, userHome);
	}
	const complete = commands.every((command) => candidates(command).every(isPlain));
	return { paths, complete };
}

/** `..` behind a link leads where the link leads, not where the text says. */
function isPlain(word: ShellWord): boolean {
	return !word.dynamic && !word.glob && !word.text.split("/").includes("..");
}

/** Short options that may stand joined ahead of a value, as in `-rnf/etc/x`. */
const JOINED_MAX = 8;

/** The word itself, behind `--option=` its value, and what a short option may have joined to it. */
function wordPaths(word: ShellWord, base: string, userHome: string | undefined): string[] {
	const { text } = word;
	const parts = [text, text.slice(text.indexOf("=") + 1)];
	if (/^-[^-]/.test(text)) {
		for (let at = 2; at < Math.min(text.length, JOINED_MAX); at += 1) parts.push(text.slice(at));
		if (text.includes("/")) parts.push(text.slice(text.indexOf("/")));
	}
	return [...new Set(parts)].filter((one) => one !== "").map((one) => toPath(one, base, userHome));
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
