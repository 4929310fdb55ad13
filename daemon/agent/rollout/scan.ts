import { findThread } from "#daemon/storage/repository/chat-thread.ts";
import type { RolloutFile, RolloutHead } from "#daemon/storage/repository/rollout-head.ts";
import { rolloutHeadsWrite, rolloutNamesWrite } from "#daemon/storage/repository/rollout-head.ts";
import { findRollout, findRolloutFile, type RolloutRow } from "#daemon/storage/repository/rollout-row.ts";
import { fileAt, findRollouts } from "./find-files.ts";
import type { RolloutPorts, ScanResult } from "./port.ts";
import { readHead } from "./read-head.ts";
import { readSessionNames } from "./session-index.ts";

/** Threads that are made in one commit. */
const BATCH = 50;
const MAX_REASONS = 100;

interface Tally {
	files: number;
	added: number;
	updated: number;
	skipped: { path: string; reason: string }[];
	skippedCount: number;
	threadIds: string[];
}

interface Batch {
	heads: { file: RolloutFile; head: RolloutHead }[];
	ignored: { file: RolloutFile; reason: string }[];
}

const isSame = (row: RolloutRow | undefined, file: RolloutFile): boolean =>
	row !== undefined && row.size_bytes === file.size_bytes && row.mtime_ms === file.mtime_ms;

function skip(tally: Tally, path: string, reason: string): void {
	tally.skippedCount += 1;
	if (tally.skipped.length < MAX_REASONS) tally.skipped.push({ path, reason });
}

/** Whether the file has to be looked into; what was loaded is known but for its growth, which the next reading takes. */
function needsLook(row: RolloutRow | undefined, file: RolloutFile): boolean {
	return row === undefined || !isSame(row, file);
}

async function save(ports: RolloutPorts, batch: Batch, tally: Tally): Promise<void> {
	if (batch.heads.length + batch.ignored.length === 0) return;
	const { heads, ignored } = batch;
	const input = { machine_id: ports.machineId, heads: [...heads], ignored: [...ignored], revive: false };
	const { threads } = await ports.store.write(rolloutHeadsWrite, input);
	for (const { thread_id, outcome } of threads) {
		if (outcome === "added") tally.added += 1;
		if (outcome === "updated") tally.updated += 1;
		if (outcome !== "added" && outcome !== "updated") continue;
		tally.threadIds.push(thread_id);
		ports.changed(thread_id);
	}
	batch.heads.length = 0;
	batch.ignored.length = 0;
}

/** The thread may have another file; null when it has none, or moved here. */
async function twinOf(ports: RolloutPorts, path: string, threadId: string): Promise<string | null> {
	const known = findRollout(ports.store, threadId);
	if (known === undefined || known.path === path || (await fileAt(known.path)) === undefined) return null;
	return `its thread is that of ${known.path}`;
}

/** One file's head into the batch. What cannot be read is told, and the next file follows. */
async function look(
	{ path, archived }: { path: string; archived: boolean },
	about: { ports: RolloutPorts; names: ReadonlyMap<string, string>; tally: Tally; batch: Batch },
): Promise<void> {
	const { ports, names, tally, batch } = about;
	const file = await fileAt(path);
	if (file === undefined) return;
	tally.files += 1;
	const row = findRolloutFile(ports.store, path);
	if (row?.state === "ignored" && isSame(row, file)) return skip(tally, path, row.detail ?? "");
	if (!needsLook(row, file)) return;
	try {
		const found = await readHead(file, { archived, names, codexHome: ports.codexHome });
		const reason = "head" in found ? await twinOf(ports, path, found.head.thread_id) : found.ignored;
		if (reason !== null) {
			batch.ignored.push({ file, reason });
			skip(tally, path, reason);
		} else if ("head" in found) batch.heads.push({ file, head: found.head });
	} catch (error) {
		skip(tally, path, error instanceof Error ? error.message : String(error));
	}
}

/** Names are in a file of their own; a thread's own file does not change by them. */
async function takeNames(
	ports: RolloutPorts,
	names: ReadonlyMap<string, string>,
	tally: Tally,
): Promise<void> {
	const { store } = ports;
	const unnamed = [...names]
		.filter(([id]) => findRollout(store, id) !== undefined && findThread(store, id)?.named === false)
		.map(([thread_id, title]) => ({ thread_id, title }));
	if (unnamed.length === 0) return;
	const { thread_ids } = await store.write(rolloutNamesWrite, { names: unnamed });
	for (const threadId of thread_ids) ports.changed(threadId);
	tally.updated += thread_ids.length;
}

/** Looks through a Codex home; of each file that is new or has changed the start is read. */
export async function scanRollouts(ports: RolloutPorts, signal: AbortSignal): Promise<ScanResult> {
	const tally: Tally = { files: 0, added: 0, updated: 0, skipped: [], skippedCount: 0, threadIds: [] };
	const batch: Batch = { heads: [], ignored: [] };
	const names = await readSessionNames(ports.codexHome);
	for await (const found of findRollouts(ports.codexHome)) {
		if (signal.aborted) break;
		await look(found, { ports, names, tally, batch });
		if (batch.heads.length + batch.ignored.length >= BATCH) await save(ports, batch, tally);
	}
	if (signal.aborted) return tally;
	await save(ports, batch, tally);
	await takeNames(ports, names, tally);
	return tally;
}
