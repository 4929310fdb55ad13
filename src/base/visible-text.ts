/** Characters that move a cursor, give a terminal orders, or show what follows in another order; newline and tab are none. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function hex(character: string, digits: number): string {
	return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

/**
 * Text of a model, a program or another machine as a terminal may show it: what would be unseen is written out (`\x1b`,
 * `\u202e`), so that it neither acts nor hides what stands beside it.
 */
export function showUnseen(text: string): string {
	return text
		.replaceAll("\r\n", "\n")
		.replace(UNSEEN, (character) =>
			character.charCodeAt(0) < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`,
		);
}

/** The same JSON with every unseen character escaped: JSON.stringify leaves those from 0x7f on as they are. */
export function escapeUnseenJson(json: string): string {
	return json.replace(UNSEEN, (character) => `\\u${hex(character, 4)}`);
}
