import {
	type RolloutStep,
	rolloutBeginWrite,
	rolloutLoadedWrite,
	rolloutStepsWrite,
} from "#daemon/storage/repository/rollout-import.ts";
import { findRollout } from "#daemon/storage/repository/rollout-row.ts";
import type { Store } from "#daemon/storage/store.ts";
import { baseLines, findBases, type HistoryBase } from "./base-lines.ts";
import { createStepBuilder, type StepBuilder } from "./build-steps.ts";
import { fileAt } from "./find-files.ts";
import { parseLine } from "./line.ts";
import { type FileLine, readLines } from "./line-reader.ts";

/** What goes to the store at once: enough to be quick, little enough that others get their turn. */
const BATCH_LINES = 200;
const BATCH_CHARACTERS = 2 * 1024 * 1024;

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

/** What a fork shares with the files that it goes on from; no place in those is a place in its own. */
async function* sharedLines(bases: readonly HistoryBase[]): AsyncGenerator<FileLine> {
	for (const base of bases) yield* baseLines(base);
}

/**
 * Reads a thread's file into the store, from where the last reading's last whole turn ended. Of a file of any size only some
 * lines are in memory. @throws AppError THREAD_NOT_FOUND, BUSY, CONFLICT; errors of the file system.
 */
export async function loadRollout(store: Store, threadId: string, codexHome: string): Promise<Loaded> {
	const known = findRollout(store, threadId);
	const { from_bytes } = await store.write(rolloutBeginWrite, { thread_id: threadId });
	const path = known?.path ?? "";
	const file = await fileAt(path);
	const builder = createStepBuilder(threadId, { turnsBefore: known?.boundary_position ?? 0 });
	const progress: Progress = {
		boundary: { bytes: from_bytes, open_turns: 0 },
		lines: 0,
		skippedLines: 0,
	};

	async function flush(): Promise<void> {
		const steps: RolloutStep[] = builder.drain();
		if (steps.length > 0) await store.write(rolloutStepsWrite, { thread_id: threadId, steps });
	}

	async function takeAll(lines: AsyncIterable<FileLine>): Promise<void> {
		let pending = { lines: 0, characters: 0 };
		for await (const line of lines) {
			takeLine(builder, line, progress);
			pending = { lines: pending.lines + 1, characters: pending.characters + (line.text?.length ?? 0) };
			if (pending.lines < BATCH_LINES && pending.characters < BATCH_CHARACTERS) continue;
			await flush();
			pending = { lines: 0, characters: 0 };
		}
		builder.finish();
	}

	if (from_bytes === 0) {
		const { bases, isWhole } = await findBases(path, codexHome);
		if (!isWhole) progress.skippedLines += 1;
		await takeAll(sharedLines(bases));
		builder.settle();
	}
	progress.boundary.bytes = from_bytes;
	await takeAll(readLines(path, { fromBytes: from_bytes }));
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
