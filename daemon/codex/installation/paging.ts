import { CodexError } from "../method.ts";

/** One page of a list whose cursor is the index of its next row. @throws CodexError for a cursor that is none of ours. */
export function pageOf<T>(
	rows: readonly T[],
	{ cursor, limit }: { cursor: string | null; limit: number | null },
): { data: readonly T[]; nextCursor: string | null } {
	const from = cursor === null ? 0 : Number(cursor);
	if (cursor !== null && !/^\d+$/.test(cursor)) throw new CodexError(`invalid cursor: ${cursor}`);
	if (from > rows.length) throw new CodexError(`cursor ${cursor} exceeds total ${rows.length}`);
	const end = limit === null ? rows.length : Math.min(rows.length, from + Math.max(1, limit));
	return { data: rows.slice(from, end), nextCursor: end < rows.length ? String(end) : null };
}
