const SPACE = /\s/u;

/** One word's text, from `start` to the first blank outside of quotes. */
function readWord(text: string, start: number): { word: string; end: number } | null {
	let word = "";
	let quote = "";
	let at = start;
	for (; at < text.length; at += 1) {
		const letter = text.charAt(at);
		if (letter === quote) quote = "";
		else if (quote === "" && (letter === "'" || letter === '"')) quote = letter;
		else if (letter === "\\" && quote !== "'") {
			at += 1;
			word += text.charAt(at);
		} else if (quote === "" && SPACE.test(letter)) break;
		else word += letter;
	}
	return quote === "" ? { word, end: at } : null;
}

/** The argv that a shown command stands for; through a shell where its quotes don't close. */
export function splitCommand(text: string): string[] {
	const words: string[] = [];
	for (let at = 0; at < text.length; ) {
		if (SPACE.test(text.charAt(at))) {
			at += 1;
			continue;
		}
		const found = readWord(text, at);
		if (found === null) return ["bash", "-lc", text];
		words.push(found.word);
		at = found.end;
	}
	return words;
}
