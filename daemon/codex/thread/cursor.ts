import { CodexError } from "../method.ts";
import { isObject } from "../wire/decode.ts";

/** A place among the turns or items of a thread, counted from the oldest. */
export interface Place {
	readonly ordinal: number;
	/** Whether the page begins with that one or behind it. */
	readonly includeAnchor: boolean;
}

function cursor(threadId: string, kind: string, { ordinal, includeAnchor }: Place): string {
	return JSON.stringify({
		requestedThreadId: threadId,
		rolloutOrdinal: ordinal,
		includeAnchor,
		scope: { kind },
	});
}

/** The cursor of a page of turns from this place on; null ahead of the oldest. */
export function turnsCursor(threadId: string, ordinal: number, includeAnchor: boolean): string | null {
	return ordinal < 0 ? null : cursor(threadId, "turns", { ordinal, includeAnchor });
}

/** The same for a page of items. */
export function itemsCursor(threadId: string, ordinal: number, includeAnchor: boolean): string | null {
	return ordinal < 0 ? null : cursor(threadId, "itemsByCreatedAtOrdinal", { ordinal, includeAnchor });
}

/** @throws CodexError for a cursor that is none of ours, or of another thread. */
export function readCursor(text: string, threadId: string): Place {
	const bad = new CodexError(`invalid cursor: ${text}`);
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		throw bad;
	}
	if (!isObject(parsed) || parsed["requestedThreadId"] !== threadId) throw bad;
	const { rolloutOrdinal, includeAnchor } = parsed;
	if (typeof rolloutOrdinal !== "number" || typeof includeAnchor !== "boolean") throw bad;
	return { ordinal: rolloutOrdinal, includeAnchor };
}

export interface PageRequest {
	readonly cursor: Place | null;
	readonly limit: number;
	readonly direction: "asc" | "desc";
}

export interface Page<T> {
	readonly entries: readonly { value: T; ordinal: number }[];
	readonly hasMore: boolean;
}

/** Cuts one page out of everything, which is oldest first. */
export function cutPage<T>(all: readonly T[], { cursor: from, limit, direction }: PageRequest): Page<T> {
	const numbered = all.map((value, ordinal) => ({ value, ordinal }));
	const ordered = direction === "asc" ? numbered : numbered.reverse();
	const behind = ({ ordinal }: { ordinal: number }): boolean => {
		if (from === null) return true;
		if (ordinal === from.ordinal) return from.includeAnchor;
		return direction === "asc" ? ordinal > from.ordinal : ordinal < from.ordinal;
	};
	const rest = ordered.filter(behind);
	return { entries: rest.slice(0, limit), hasMore: rest.length > limit };
}
