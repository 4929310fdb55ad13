import { COMPOUND_WORDS } from "./parse.ts";

/** Words that begin syntax of the shell or change its variables; a script with one of them at a command's place is not plain. */
const NOT_COMMANDS = new Set([
	...COMPOUND_WORDS,
	"export",
	"readonly",
	"unset",
	"local",
	"declare",
	"typeset",
]);

const BLANK = /^(?:[ \t\r]|\\\n)+/;
/** Outside quotes each of these expands, redirects, groups or comments. */
const ACTIVE = /[$`*?[\]{}~^\\()<>#&;|'"\s]/;

interface Scan {
	readonly text: string;
	at: number;
}

/** The shell programs whose `-c` script is read, by their last path part. */
const SHELLS = new Set(["bash", "sh", "zsh"]);

/** The script of `bash -lc SCRIPT` and its kin; undefined when the argv is no such call. */
export function scriptOf(argv: readonly string[]): string | undefined {
	const [shell, flag, script, ...rest] = argv;
	if (shell === undefined || script === undefined || rest.length > 0) return undefined;
	if (!SHELLS.has(shell.slice(shell.lastIndexOf("/") + 1)) || (flag !== "-lc" && flag !== "-c"))
		return undefined;
	return script;
}

/**
 * The commands of a script made of nothing but literal words joined by `&&`, `||`, `|`, `;` and newlines, quotes resolved.
 * Undefined for anything else (expansion, redirection, assignment, comment, control flow), exactly where Codex gives up too:
 * rules for prefixes and what clients show depend on it.
 */
export function parsePlainCommands(script: string): string[][] | undefined {
	const scan: Scan = { text: script, at: 0 };
	const commands: string[][] = [];
	// What joined the last command to this one; a newline may follow it, another joiner may not.
	let joiner = "start";
	for (;;) {
		skipBlanks(scan, joiner !== ";");
		if (scan.at >= script.length) break;
		const words = readWords(scan);
		if (words === undefined) return undefined;
		commands.push(words);
		const next = readJoiner(scan);
		if (next === undefined) return undefined;
		joiner = next;
		if (next === "end") break;
	}
	return commands.length === 0 || joiner === "&&" || joiner === "||" || joiner === "|" ? undefined : commands;
}

function skipBlanks(scan: Scan, newlinesToo: boolean): void {
	for (;;) {
		const blank = BLANK.exec(scan.text.slice(scan.at));
		if (blank) scan.at += blank[0].length;
		else if (newlinesToo && scan.text.charAt(scan.at) === "\n") scan.at += 1;
		else return;
	}
}

function readJoiner(scan: Scan): string | undefined {
	const rest = scan.text.slice(scan.at);
	if (rest === "") return "end";
	const found = /^(?:&&|\|\|(?!\|)|\|(?![|&])|;(?!;)|\n)/.exec(rest)?.[0];
	if (found === undefined) return undefined;
	scan.at += found.length;
	if (found !== ";") return found;
	// A newline may follow the semicolon; a second semicolon may not.
	skipBlanks(scan, true);
	return ";";
}

/** The words up to the next joiner; undefined at what is not plain. */
function readWords(scan: Scan): string[] | undefined {
	const words: string[] = [];
	for (;;) {
		skipBlanks(scan, false);
		const char = scan.text.charAt(scan.at);
		if (char === "" || char === "\n" || char === ";" || char === "|" || char === "&") break;
		const start = scan.at;
		const word = readWord(scan);
		if (word === undefined) return undefined;
		if (words.length === 0 && !isCommandName(word, scan.text.slice(start, scan.at))) return undefined;
		words.push(word);
	}
	return words.length === 0 ? undefined : words;
}

/** A name is bare, no number, no assignment and no keyword. */
function isCommandName(word: string, written: string): boolean {
	return (
		word === written && !NOT_COMMANDS.has(word) && !/^\d+$/.test(word) && !/^[A-Za-z_]\w*\+?=/.test(word)
	);
}

function readWord(scan: Scan): string | undefined {
	const { text } = scan;
	if (text.charAt(scan.at) === "=") return undefined;
	let word = "";
	while (scan.at < text.length) {
		const char = text.charAt(scan.at);
		if (char === "'" || char === '"') {
			const quoted = readQuoted(scan, char);
			if (quoted === undefined) return undefined;
			word += quoted;
		} else if (!ACTIVE.test(char)) {
			word += char;
			scan.at += 1;
		} else if (/[\s;|&]/.test(char) || text.startsWith("\\\n", scan.at)) {
			return word;
		} else {
			return undefined;
		}
	}
	return word;
}

function readQuoted(scan: Scan, quote: string): string | undefined {
	const end = scan.text.indexOf(quote, scan.at + 1);
	if (end < 0) return undefined;
	const inner = scan.text.slice(scan.at + 1, end);
	if (quote === '"' && /[$`]|\\["\\$`\n]|\\$/.test(inner)) return undefined;
	scan.at = end + 1;
	return inner;
}
