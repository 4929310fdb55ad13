import { graphemes } from "../text/width.ts";

const WORD = /[\p{L}\p{N}_]/u;

/** Index of the line's first character. */
export function lineStart(text: string, index: number): number {
	return index <= 0 ? 0 : text.lastIndexOf("\n", index - 1) + 1;
}

/** Index of the line's newline, or of the text's end. */
export function lineEnd(text: string, index: number): number {
	const at = text.indexOf("\n", index);
	return at === -1 ? text.length : at;
}

/** Index before the grapheme that ends at `index`. */
export function previousGrapheme(text: string, index: number): number {
	if (index <= 0) return 0;
	const start = lineStart(text, index);
	if (start === index) return index - 1;
	const last = graphemes(text.slice(start, index)).at(-1) ?? "";
	return index - last.length;
}

/** Index after the grapheme that begins at `index`. */
export function nextGrapheme(text: string, index: number): number {
	if (index >= text.length) return text.length;
	const end = lineEnd(text, index);
	if (end === index) return index + 1;
	return index + (graphemes(text.slice(index, end))[0] ?? "").length;
}

/** Beginning of the word before `index`. */
export function wordLeft(text: string, index: number): number {
	let at = index;
	while (at > 0 && !WORD.test(text.charAt(at - 1))) at -= 1;
	while (at > 0 && WORD.test(text.charAt(at - 1))) at -= 1;
	return at;
}

/** End of the word after `index`. */
export function wordRight(text: string, index: number): number {
	let at = index;
	while (at < text.length && !WORD.test(text.charAt(at))) at += 1;
	while (at < text.length && WORD.test(text.charAt(at))) at += 1;
	return at;
}
