/** What a colour means; screens name tokens, never colours. */
export type Token =
	| "text"
	| "muted"
	| "accent"
	| "attention"
	| "good"
	| "bad"
	| "agent-1"
	| "agent-2"
	| "agent-3"
	| "agent-4"
	| "agent-5"
	| "agent-6";

/** A run of one look. */
export interface Span {
	text: string;
	token?: Token;
	bold?: boolean;
	inverse?: boolean;
}
/** One row of the screen; its text holds no escape sequence and no newline. */
export type Line = readonly Span[];

export interface Glyphs {
	working: string;
	waiting: string;
	idle: string;
	needsYou: string;
	done: string;
	failed: string;
	prompt: string;
	arrow: string;
	answer: string;
	minus: string;
	ellipsis: string;
	dot: string;
	box: {
		topLeft: string;
		topRight: string;
		bottomLeft: string;
		bottomRight: string;
		across: string;
		down: string;
	};
}

/** The twins have the same width wherever a row's height depends on it. */
export const GLYPHS: Glyphs = {
	working: "●",
	waiting: "◐",
	idle: "◌",
	needsYou: "▲",
	done: "✓",
	failed: "✕",
	prompt: "›",
	arrow: "→",
	answer: "←",
	minus: "−",
	ellipsis: "…",
	dot: "·",
	box: { topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘", across: "─", down: "│" },
};
const ASCII_GLYPHS: Glyphs = {
	working: "*",
	waiting: "~",
	idle: "-",
	needsYou: "!",
	done: "ok",
	failed: "x",
	prompt: ">",
	arrow: "->",
	answer: "<-",
	minus: "-",
	ellipsis: "...",
	dot: "-",
	box: { topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", across: "-", down: "|" },
};

export interface Theme {
	readonly glyphs: Glyphs;
	/** One row with its colours as SGR; without colours, weight and inversion stay unless the terminal is dumb. */
	paint(line: Line): string;
}

/** Foreground codes of the 16-colour palette, which each terminal theme already makes readable on its own background. */
const COLOR: Readonly<Record<Token, string>> = {
	text: "",
	muted: "90",
	accent: "36",
	attention: "33",
	good: "32",
	bad: "31",
	"agent-1": "34",
	"agent-2": "35",
	"agent-3": "32",
	"agent-4": "94",
	"agent-5": "95",
	"agent-6": "96",
};

type Env = Readonly<Record<string, string | undefined>>;

/** TERM=dumb and screen readers get ASCII twins and no colour; NO_COLOR (any value but empty) drops colour alone, unless FORCE_COLOR asks for it. */
export function createTheme(env: Env): Theme {
	const isPlain = env["TERM"] === "dumb" || env["INK_SCREEN_READER"] === "true";
	const isUtf8 = /utf-?8/i.test(env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "UTF-8");
	const isForced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
	const hasColor = !isPlain && (isForced || (env["NO_COLOR"] ?? "") === "") && env["FORCE_COLOR"] !== "0";
	function paintSpan({ text, token = "text", bold, inverse }: Span): string {
		if (isPlain || text === "") return text;
		const codes: string[] = [];
		if (bold) codes.push("1");
		if (inverse) codes.push("7");
		if (hasColor && COLOR[token] !== "") codes.push(COLOR[token]);
		return codes.length === 0 ? text : `\u001b[${codes.join(";")}m${text}\u001b[0m`;
	}
	return {
		glyphs: isPlain || !isUtf8 ? ASCII_GLYPHS : GLYPHS,
		paint: (line) => line.map(paintSpan).join(""),
	};
}

const AGENT_TOKENS: readonly Token[] = ["agent-1", "agent-2", "agent-3", "agent-4", "agent-5", "agent-6"];

/** The same colour for the same name, in every client and session. */
export function agentToken(name: string): Token {
	let hash = 7;
	for (const character of name.toLowerCase())
		hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
	return AGENT_TOKENS[hash % AGENT_TOKENS.length] ?? "agent-1";
}
