import type { WeaveMessage } from "#protocol/record.ts";

/** Only what was asked is answered: an answered reply would be a question again, and two agents would never stop. */
export function mayBeAnswered(kind: WeaveMessage["kind"]): boolean {
	return kind === "user";
}
