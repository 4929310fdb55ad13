/** One word of a command, quotes resolved. */
export interface ShellWord {
	readonly text: string;
	/** Holds an unquoted glob, which the shell turns into file names. */
	readonly glob: boolean;
	/** Holds a `$variable`, whose value nobody knows here. */
	readonly dynamic: boolean;
	/** Begins with an unquoted `~`. */
	readonly tilde: boolean;
}

export interface ShellCommand {
	readonly words: readonly ShellWord[];
	/** `NAME=value` ahead of the command. */
	readonly assignments: readonly string[];
	/** Redirections other than to /dev/null and between descriptors. */
	readonly redirects: readonly { readonly operator: string; readonly target: ShellWord }[];
	/** Runs beside the rest (`&`). */
	readonly background: boolean;
}

/** Words of the shell's grammar that neither reader of it follows. */
export const COMPOUND_WORDS: readonly string[] = [
	"if",
	"then",
	"else",
	"elif",
	"fi",
	"for",
	"while",
	"until",
	"do",
	"done",
	"case",
	"esac",
	"select",
	"function",
	"!",
];

/** Words that begin syntax this parser does not know. */
const KEYWORDS = new Set([...COMPOUND_WORDS, "time", "coproc", "{", "}", "[[", "(("]);

type Token =
	| { kind: "word"; word: ShellWord }
	| { kind: "separator"; background: boolean }
	| { kind: "redirect"; operator: string };

/**
 * Splits a shell text into the simple commands that it runs, joined by `;`, newline, `&`, `&&`, `||` and `|`.
 * Fails closed: undefined for anything else - substitution, subshells, here-documents, control flow, comments - so that
 * a caller who trusts the answer never misses a command.
 */
export function parseShell(text: string): readonly ShellCommand[] | undefined {
	const tokens = tokenize(text);
	return tokens === undefined ? undefined : group(tokens);
}

function tokenize(text: string): Token[] | undefined {
	const tokens: Token[] = [];
	let at = 0;
	while (at < text.length) {
		const rest = text.slice(at);
		const blank = /^(?:[ \t]+|\\\n)/.exec(rest);
		if (blank) {
			at += blank[0].length;
			continue;
		}
		const operator = readOperator(rest);
		if (operator) {
			tokens.push(operator.token);
			at += operator.length;
			continue;
		}
		const word = readWord(text, at);
		if (word === undefined) return undefined;
		tokens.push({ kind: "word", word: word.word });
		at = word.end;
	}
	return tokens;
}

function readOperator(rest: string): { token: Token; length: number } | undefined {
	// Joining or silencing descriptors changes no file.
	const harmless =
		/^(?:[12]?>&[12]|[12]?>>?[ \t]*\/dev\/null|&>[ \t]*\/dev\/null|<[ \t]*\/dev\/null)(?=[\s;|&]|$)/.exec(
			rest,
		);
	if (harmless) return { token: { kind: "redirect", operator: "" }, length: harmless[0].length };
	const redirect = /^(?:[0-9]?(?:>>|>\||>|<)|&>>?)(?![<>&(])/.exec(rest);
	if (redirect) return { token: { kind: "redirect", operator: redirect[0] }, length: redirect[0].length };
	const separator = /^(?:&&|\|\||;(?!;)|\||\n|&(?![>&]))/.exec(rest);
	if (separator)
		return { token: { kind: "separator", background: separator[0] === "&" }, length: separator[0].length };
	return undefined;
}

interface WordState {
	text: string;
	glob: boolean;
	dynamic: boolean;
}

/** Reads a word that begins at `start`; undefined at syntax that is not known. */
function readWord(text: string, start: number): { word: ShellWord; end: number } | undefined {
	const state: WordState = { text: "", glob: false, dynamic: false };
	let at = start;
	while (at < text.length) {
		const char = text.charAt(at);
		if (/[\s;|&<>]/.test(char)) break;
		const next = readPart(text, at, state);
		if (next === undefined) return undefined;
		at = next;
	}
	if (at === start || text.charAt(start) === "#") return undefined;
	const tilde = text.charAt(start) === "~";
	// ~NAME is another person's home, which only the shell knows.
	if (tilde && !/^~(?:[/\s;|&<>]|$)/.test(text.slice(start))) state.dynamic = true;
	return { word: { ...state, tilde }, end: at };
}

function readPart(text: string, at: number, state: WordState): number | undefined {
	const char = text.charAt(at);
	if (char === "'") {
		const end = text.indexOf("'", at + 1);
		if (end < 0) return undefined;
		state.text += text.slice(at + 1, end);
		return end + 1;
	}
	if (char === '"') return readDoubleQuoted(text, at + 1, state);
	if (char === "\\") {
		if (at + 1 >= text.length) return undefined;
		if (text.charAt(at + 1) !== "\n") state.text += text.charAt(at + 1);
		return at + 2;
	}
	if (char === "$") return readBareVariable(text, at, state);
	if (char === "{" && text.startsWith("{}", at)) {
		state.text += "{}";
		return at + 2;
	}
	if (/[`(){}!]/.test(char)) return undefined;
	if (/[*?[]/.test(char)) state.glob = true;
	state.text += char;
	return at + 1;
}

function readDoubleQuoted(text: string, start: number, state: WordState): number | undefined {
	let at: number | undefined = start;
	while (at !== undefined && at < text.length) {
		if (text.charAt(at) === '"') return at + 1;
		at = readQuotedPart(text, at, state);
	}
	return undefined;
}

function readQuotedPart(text: string, at: number, state: WordState): number | undefined {
	const char = text.charAt(at);
	if (char === "`") return undefined;
	if (char === "$") return readVariable(text, at, state);
	if (char === "\\" && /["\\$`\n]/.test(text.charAt(at + 1))) {
		if (text.charAt(at + 1) !== "\n") state.text += text.charAt(at + 1);
		return at + 2;
	}
	state.text += char;
	return at + 1;
}

/** Outside quotes $"..." is a text that bash translates, without the dollar: an option in it would not look like one. */
function readBareVariable(text: string, at: number, state: WordState): number | undefined {
	return text.charAt(at + 1) === '"' ? undefined : readVariable(text, at, state);
}

/** `$NAME` only; every other form can run commands or rewrite the word. A `$` that stands alone is itself. */
function readVariable(text: string, at: number, state: WordState): number | undefined {
	const name = /^\$[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at));
	if (name) {
		state.text += name[0];
		state.dynamic = true;
		return at + name[0].length;
	}
	if (!/^\$(?:[\s"/]|$)/.test(text.slice(at))) return undefined;
	state.text += "$";
	return at + 1;
}

function group(tokens: readonly Token[]): readonly ShellCommand[] | undefined {
	const commands: ShellCommand[] = [];
	let part: Token[] = [];
	for (const token of [...tokens, { kind: "separator", background: false } as const]) {
		if (token.kind !== "separator") {
			part.push(token);
		} else if (part.length > 0) {
			const command = collect(part, token.background);
			if (command === undefined) return undefined;
			commands.push(command);
			part = [];
		} else if (token.background) {
			return undefined;
		}
	}
	return commands.length > 0 ? commands : undefined;
}

/** One simple command out of the tokens between two separators. */
function collect(tokens: readonly Token[], background: boolean): ShellCommand | undefined {
	const words: ShellWord[] = [];
	const redirects: { operator: string; target: ShellWord }[] = [];
	let operator = "";
	for (const token of tokens) {
		if (token.kind === "word") {
			if (operator === "") words.push(token.word);
			else redirects.push({ operator, target: token.word });
			operator = "";
		} else if (operator !== "") {
			return undefined;
		} else if (token.kind === "redirect") {
			operator = token.operator;
		}
	}
	return operator === "" ? toCommand(words, redirects, background) : undefined;
}

function toCommand(
	words: readonly ShellWord[],
	redirects: ShellCommand["redirects"],
	background: boolean,
): ShellCommand | undefined {
	let first = 0;
	while (/^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(words[first]?.text ?? "")) first += 1;
	const rest = words.slice(first);
	const name = rest[0];
	if (name !== undefined && (KEYWORDS.has(name.text) || name.dynamic || name.glob)) return undefined;
	return { words: rest, assignments: words.slice(0, first).map((word) => word.text), redirects, background };
}
