import {
	type RolloutStep,
	rolloutBeginWrite,
	rolloutLoadedWrite,
	rolloutStepsWrite,
} from "#daemon/storage/repository/rollout-import.ts";
import { findRollout } from "#daemon/storage/repository/rollout-row.ts";
import type { Store } from "#daemon/storage/store.ts";
import { createStepBuilder, type StepBuilder } from "./build-steps.ts";
import { fileAt } from "./find-files.ts";
import { parseLine } from "./line.ts";
import { type FileLine, readLines } from "./line-reader.ts";

/** What goes to the store at once: enough to be quick, little enough that others get their turn. */
const BATCH_LINES = 200;
const BATCH_BYTES = 2 * 1024 * 1024;

export interface Loaded {
	/** Lines that could not be read, or of kinds that nobody here knows. */
	readonly skippedLines: number;
	readonly lines: number;
}

interface Progress {
	boundary: { bytes: number; open_turns: number };
	lines: number;
	skippedLines: number;
}

/** Takes one line; what is only half there stays for the next time. */
function takeLine(builder: StepBuilder, line: FileLine, progress: Progress): void {
	const parsed = line.text === null ? null : parseLine(line.text);
	if (parsed === null && !line.isWhole) return;
	progress.lines += 1;
	if (parsed === null ? line.text !== "" : !builder.take(parsed)) progress.skippedLines += 1;
	if (builder.openTurns > 0) return;
	builder.settle();
	progress.boundary.bytes = line.endBytes;
}

/**
 * Reads a thread's file into the store, from where the last reading's last whole turn ended. Of a file of any size only some
 * lines are in memory. @throws AppError THREAD_NOT_FOUND, BUSY, CONFLICT; errors of the file system.
 */
export async function loadRollout(store: Store, threadId: string): Promise<Loaded> {
	const known = findRollout(store, threadId);
	const { from_bytes } = await store.write(rolloutBeginWrite, { thread_id: threadId });
	const path = known?.path ?? "";
	const file = await fileAt(path);
	const builder = createStepBuilder(threadId, { turnsBefore: known?.boundary_position ?? 0 });
	const progress: Progress = { boundary: { bytes: from_bytes, open_turns: 0 }, lines: 0, skippedLines: 0 };

	async function flush(): Promise<void> {
		const steps: RolloutStep[] = builder.drain();
		if (steps.length > 0) await store.write(rolloutStepsWrite, { thread_id: threadId, steps });
	}

	let flushedAt = { lines: 0, bytes: from_bytes };
	for await (const line of readLines(path, { fromBytes: from_bytes })) {
		takeLine(builder, line, progress);
		const isMuch =
			progress.lines - flushedAt.lines >= BATCH_LINES || line.endBytes - flushedAt.bytes >= BATCH_BYTES;
		if (!isMuch) continue;
		await flush();
		flushedAt = { lines: progress.lines, bytes: line.endBytes };
	}
	builder.finish();
	progress.boundary.open_turns = builder.rowsSince;
	await flush();
	const { settings, ...context } = builder.context ?? { settings: undefined };
	await store.write(rolloutLoadedWrite, {
		thread_id: threadId,
		file: file ?? { path, size_bytes: progress.boundary.bytes, mtime_ms: 0 },
		boundary: progress.boundary,
		skipped_lines: progress.skippedLines,
		...context,
		settings,
	});
	return { skippedLines: progress.skippedLines, lines: progress.lines };
}
