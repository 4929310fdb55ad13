/** How a piece of a word is written; the order is the order of preference. */
type Style = "plain" | "single" | "double";

/** Characters that each style cannot hold: of some shells, `\` is special in single quotes, and `!` and `^` in double ones. */
const UNFIT: Readonly<Record<Style, RegExp>> = {
	plain: /[^A-Za-z0-9+\-./:@\]_]/,
	single: /['\\^]/,
	double: /[`$!^]/,
};
const STYLES: readonly Style[] = ["plain", "single", "double"];

/** The argv as one line that any common shell would split the same way; for people, never run. As Codex shows commands. */
export function displayCommand(argv: readonly string[]): string {
	return argv.map(quoteWord).join(" ");
}

/** The word in as few pieces as possible, each in one style. */
function quoteWord(word: string): string {
	if (word === "") return "''";
	const characters = [...word];
	let out = "";
	let start = 0;
	while (start < characters.length) {
		const { style, end } = pieceAt(characters, start);
		out += write(characters.slice(start, end).join(""), style);
		start = end;
	}
	return out;
}

/** The longest piece from `start` that one style can hold. */
function pieceAt(characters: readonly string[], start: number): { style: Style; end: number } {
	// A caret is safe only right behind an opening single quote.
	const isCaret = characters[start] === "^";
	let styles: readonly Style[] = isCaret ? ["single"] : STYLES;
	let end = isCaret ? start + 1 : start;
	for (; end < characters.length; end += 1) {
		const fit = styles.filter((style) => !UNFIT[style].test(characters[end] ?? ""));
		if (fit.length === 0) break;
		styles = fit;
	}
	return { style: styles[0] ?? "single", end };
}

function write(text: string, style: Style): string {
	if (style === "plain") return text;
	if (style === "single") return `'${text}'`;
	return `"${text.replaceAll(/[$`"\\]/g, "\\$&")}"`;
}
