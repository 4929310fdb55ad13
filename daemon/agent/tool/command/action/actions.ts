import { resolve } from "node:path";
import { parsePlainCommands, scriptOf } from "../../../../policy/shell/plain.ts";
import { displayCommand } from "../display.ts";
import { awkFile, cdTarget, sedFile } from "./operands.ts";
import { type CommandAction, summarize } from "./summarize.ts";

export type { CommandAction } from "./summarize.ts";

/** Programs that only shape what others print, whatever their arguments. */
const SHAPERS = new Set(["wc", "tr", "cut", "sort", "uniq", "tee", "column", "yes", "printf"]);

/**
 * What a command does, in the words of Codex clients: files read, folders listed, searches; `unknown` as a whole as soon as
 * one part is. Paths of reads are absolute. Empty for a command that only changes the folder.
 * @param cwd absolute folder in which it runs.
 */
export function commandActions(argv: readonly string[], cwd: string): CommandAction[] {
	const script = scriptOf(argv);
	if (script === undefined) return deduped([place(summarize(argv), cwd)]);
	const commands = parsePlainCommands(script);
	const whole: CommandAction = { type: "unknown", command: script };
	if (commands === undefined) return [whole];
	const telling = commands.filter((words) => !isShaper(words));
	if (telling.length === 0) return [whole];
	const parts = simplify(followFolders(telling, cwd));
	const actions = parts.length === 1 ? parts.map((part) => attribute(part, script, commands.length)) : parts;
	const shown = deduped(actions);
	return shown.some((action) => action.type === "unknown") ? [whole] : shown;
}

function followFolders(commands: readonly (readonly string[])[], cwd: string): CommandAction[] {
	let folder = cwd;
	const parts: CommandAction[] = [];
	for (const words of commands) {
		if (words[0] === "cd") folder = resolve(folder, cdTarget(words.slice(1)) ?? ".");
		else parts.push(place(summarize(words), folder));
	}
	return parts;
}

function place(action: CommandAction, folder: string): CommandAction {
	return action.type === "read"
		? { ...action, path: resolve(folder, action.path).replaceAll(/[\t\n\r]/g, "") }
		: action;
}

/** Leaves out what says nothing: `true`, an `echo` ahead, a bare `nl` behind. */
function simplify(parts: readonly CommandAction[]): CommandAction[] {
	if (parts.length <= 1) return [...parts];
	let kept = parts.filter((part) => !isCall(part, (command) => command === "true"));
	for (;;) {
		const first = kept[0];
		if (kept.length > 1 && first !== undefined && isCall(first, (command) => /^echo(?:\s|$)/.test(command)))
			kept = kept.slice(1);
		else break;
	}
	if (kept.length <= 1) return kept;
	return kept.filter((part) => !isCall(part, (command) => /^nl(?:\s+'?-\S*)*$/.test(command)));
}

function isCall(part: CommandAction, matches: (command: string) => boolean): boolean {
	return part.type === "unknown" && matches(part.command);
}

/** A single part that is the whole script is shown as written, and so is a pipe that ends in a range of lines. */
function attribute(part: CommandAction, script: string, count: number): CommandAction {
	const words = splitLikeShell(script);
	const joined = count > 1 || words.some((word) => ["|", "&&", "||", ";"].includes(word));
	if (part.type === "read" && joined) {
		const ranged = words.some((word, at) => word === "sed" && words[at + 1] === "-n");
		return ranged && words.includes("|") ? { ...part, command: script } : part;
	}
	return !joined && (part.type === "read" || part.type === "listFiles")
		? { ...part, command: displayCommand(words) }
		: part;
}

/** Words between blanks, quotes resolved; operators are words or parts of them. For plain scripts only. */
function splitLikeShell(script: string): string[] {
	const words = script.match(/(?:'[^']*'|"[^"]*"|\\\n|[^\s'"])+/g) ?? [];
	return words.map((word) =>
		word.replaceAll(/'([^']*)'|"([^"]*)"|\\\n/g, (_all, a, b) => String(a ?? b ?? "")),
	);
}

/** A part of a pipe that shapes output and reads or changes no file of its own. */
function isShaper(words: readonly string[]): boolean {
	const [name = "", ...args] = words;
	if (SHAPERS.has(name)) return true;
	switch (name) {
		case "xargs":
			return !changesThroughXargs(args);
		case "awk":
			return awkFile(args) === undefined;
		case "head":
		case "tail":
			return isPartOfStream(args, name === "head" ? /^\d+$/ : /^\+?\d+$/);
		case "sed":
			return !changesInPlace(args) && sedFile(args) === undefined;
		default:
			return false;
	}
}

function isPartOfStream(args: readonly string[], count: RegExp): boolean {
	const [first = "", second = ""] = args;
	if (args.length === 0) return true;
	if (args.length === 1) return first.startsWith("-");
	return args.length === 2 && (first === "-n" || first === "-c") && count.test(second);
}

function changesInPlace(args: readonly string[]): boolean {
	return args.some((arg) => /^-p?i/.test(arg) || arg.startsWith("--in-place"));
}

const XARGS_VALUED = ["-E", "-e", "-I", "-L", "-n", "-P", "-s"];

function changesThroughXargs(args: readonly string[]): boolean {
	let at = 0;
	while (at < args.length && (args[at] ?? "").startsWith("-")) {
		if (args[at] === "--") {
			at += 1;
			break;
		}
		at += XARGS_VALUED.includes(args[at] ?? "") ? 2 : 1;
	}
	const [name, ...rest] = args.slice(at);
	if (name === "perl" || name === "ruby" || name === "sed") return changesInPlace(rest);
	return name === "rg" && rest.includes("--replace");
}

function deduped(actions: readonly CommandAction[]): CommandAction[] {
	return actions.filter(
		(action, at) => at === 0 || JSON.stringify(action) !== JSON.stringify(actions[at - 1]),
	);
}
