import { findRolloutOf } from "./find-files.ts";
import { type Json, numberOrNull, objectOf, parseLine, textOf } from "./line.ts";
import { type FileLine, readLines } from "./line-reader.ts";

/** Forks of forks, at most so deep; a file could name itself. */
const MAX_DEPTH = 32;

export interface HistoryBase {
	readonly path: string;
	/** Where in that file the fork took off. */
	readonly endBytes: number;
}

async function metaOf(path: string): Promise<Json> {
	for await (const { text } of readLines(path)) {
		const line = text === null ? null : parseLine(text);
		return line?.type === "session_meta" ? line.payload : {};
	}
	return {};
}

/** The file that another goes on from; undefined when it stands for itself, `null` path-less when that one is gone. */
async function baseOf(meta: Json, codexHome: string): Promise<HistoryBase | null | undefined> {
	const base = objectOf(meta, "history_base");
	const threadId = textOf(base, "thread_id").toLowerCase();
	const endBytes = numberOrNull(base, "end_byte_offset");
	if (threadId === "" || endBytes === null) return undefined;
	const found = await findRolloutOf(codexHome, threadId);
	return found === undefined ? null : { path: found.path, endBytes };
}

/**
 * What a fork's file leaves to the files that it goes on from, oldest first; nothing where it stands for itself.
 * `isWhole`: false when one of those is gone, and with it what it said.
 */
export async function findBases(
	path: string,
	codexHome: string,
): Promise<{ bases: readonly HistoryBase[]; isWhole: boolean }> {
	const bases: HistoryBase[] = [];
	for (let at = path; bases.length < MAX_DEPTH; ) {
		const base = await baseOf(await metaOf(at), codexHome);
		if (base === undefined) return { bases, isWhole: true };
		if (base === null) break;
		bases.unshift(base);
		at = base.path;
	}
	return { bases, isWhole: false };
}

/** The lines of a base up to where the fork took off. */
export async function* baseLines({ path, endBytes }: HistoryBase): AsyncGenerator<FileLine> {
	for await (const line of readLines(path)) {
		if (line.endBytes > endBytes) return;
		yield line;
	}
}
