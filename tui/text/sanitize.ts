/** Escape sequences in all their forms; one without an end is taken to the end of its line. */
const SEQUENCE =
	/(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|\x1b[\x20-\x2f]*[\x30-\x7e]?/g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
/** Characters that reorder what follows: a command could be shown other than it is. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const NEEDS_WORK = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/**
 * Makes text of a model, a program or another machine harmless to show: no escape sequence, control or reordering
 * character is left but newline; a carriage return overwrites its line as a terminal would; tabs become spaces.
 */
export function sanitizeText(text: string): string {
	if (!NEEDS_WORK.test(text)) return text;
	const plain = text.replace(SEQUENCE, "").replace(/\r+\n/g, "\n").replace(CONTROL, "").replace(BIDI, "");
	return plain
		.split("\n")
		.map((line) => (line.includes("\r") ? overwrite(line) : line).replaceAll("\t", "    "))
		.join("\n");
}

function overwrite(line: string): string {
	const parts = line.split("\r");
	return parts.findLast((part) => part !== "") ?? "";
}

/** One harmless line: newlines become spaces. */
export function sanitizeLine(text: string): string {
	return sanitizeText(text).replace(/\n+/g, " ").trim();
}

/** Shows what would otherwise be invisible: for commands to approve, where nothing may hide. */
export function revealText(text: string): string {
	return text
		.replace(BIDI, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
		.replace(/[\u200b-\u200d\u2060\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
		.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, (character) =>
			character === "\t" ? "\\t" : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
		);
}
