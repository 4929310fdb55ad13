import { resolve } from "node:path";
import { AppError } from "#base/app-error.ts";
import { findThread, requireThread } from "#daemon/storage/repository/chat-thread.ts";
import { rolloutHeadsWrite } from "#daemon/storage/repository/rollout-head.ts";
import {
	findRollout,
	findRolloutFile,
	hasThread,
	lastTurnId,
	type RolloutRow,
} from "#daemon/storage/repository/rollout-row.ts";
import { exportThread } from "./export-thread.ts";
import { fileAt, findRolloutOf, sessionFolders } from "./find-files.ts";
import { loadRollout } from "./load.ts";
import type { RolloutLibrary, RolloutPorts, ScanResult } from "./port.ts";
import { readHead } from "./read-head.ts";
import { scanRollouts } from "./scan.ts";
import { readSessionNames } from "./session-index.ts";

/** Between two looks through the Codex home: soon enough for a list, and next to nothing of work. */
const LOOK_MS = 120_000;

/** Threads of which we took no content have none to lose. */
const isUnread = (row: RolloutRow): boolean => row.state === "head" || row.state === "loading";

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Work on one thread at a time; who comes while it runs waits for the same end. */
function createOnce() {
	const running = new Map<string, Promise<void>>();
	return {
		running,
		run(key: string, work: () => Promise<void>): Promise<void> {
			const before = running.get(key);
			if (before !== undefined) return before;
			const now = work().finally(() => running.delete(key));
			running.set(key, now);
			return now;
		},
	};
}

/** Whether the file has anything that we have not. */
async function isBehind(row: RolloutRow): Promise<boolean> {
	if (isUnread(row)) return true;
	const file = await fileAt(row.path);
	if (file === undefined || file.size_bytes < row.boundary_bytes) return false;
	return file.size_bytes !== row.size_bytes || file.mtime_ms !== row.mtime_ms;
}

export function createRolloutLibrary(ports: RolloutPorts): RolloutLibrary {
	const { store, codexHome, clock, logger, machineId } = ports;
	const stop = new AbortController();
	const loads = createOnce();
	let next: Disposable | undefined;
	let scanning: Promise<ScanResult> | undefined;

	async function load(threadId: string): Promise<void> {
		const { skippedLines, lines } = await loadRollout(store, threadId, codexHome);
		if (skippedLines > 0)
			logger.warn("some lines of a rollout could not be read", { thread_id: threadId, lines, skippedLines });
		ports.changed(threadId);
	}

	/** Whether the file still speaks for the thread; cheap, since every request about a thread comes by here. */
	function isFollowed(threadId: string, row: RolloutRow): boolean {
		if (row.state === "ours") return false;
		return isUnread(row) || lastTurnId(store, threadId) === row.last_turn_id;
	}

	async function hydrate(threadId: string): Promise<void> {
		const row = findRollout(store, threadId);
		if (row === undefined || !isFollowed(threadId, row)) return;
		if (requireThread(store, threadId).active_turn_id !== null || !(await isBehind(row))) return;
		await loads.run(threadId, () => load(threadId));
	}

	async function takeFile(
		found: { path: string; archived: boolean },
		asked: { helpers: boolean; revive: boolean },
	): Promise<string> {
		const file = await fileAt(found.path);
		if (file === undefined) throw new AppError("NOT_FOUND", `There is no file ${found.path}.`);
		const names = await readSessionNames(codexHome);
		const made = await readHead(file, {
			...{ archived: found.archived, names, codexHome },
			helpers: asked.helpers,
		});
		if ("ignored" in made)
			throw new AppError("INVALID_PARAMS", `Nothing can be made of ${found.path}: ${made.ignored}.`);
		const known = findRollout(store, made.head.thread_id);
		const isCopy = known !== undefined && known.path !== file.path && findThread(store, made.head.thread_id);
		// Another copy of a thread that has a file; that one goes on.
		if (isCopy && (await fileAt(known.path)) !== undefined) return made.head.thread_id;
		const heads = [{ file, head: made.head }];
		const input = { machine_id: machineId, heads, ignored: [], revive: asked.revive };
		const { threads } = await store.write(rolloutHeadsWrite, input);
		const [taken] = threads;
		if (taken?.outcome === "added" || taken?.outcome === "updated") ports.changed(taken.thread_id);
		return made.head.thread_id;
	}

	/** The Codex CLI may have made the thread since the last look. */
	async function adopt(threadId: string): Promise<void> {
		const found = await findRolloutOf(codexHome, threadId.toLowerCase());
		if (found !== undefined) await takeFile(found, { helpers: false, revive: false });
	}

	async function ensureThread(threadId: string): Promise<void> {
		try {
			const row = findRollout(store, threadId);
			if (row === undefined && !hasThread(store, threadId)) await adopt(threadId);
			if (hasThread(store, threadId)) await hydrate(threadId);
		} catch (error) {
			logger.warn("a rollout could not be read", { thread_id: threadId, error: messageOf(error) });
		}
	}

	function scan(): Promise<ScanResult> {
		scanning ??= scanRollouts(ports, stop.signal).finally(() => {
			scanning = undefined;
		});
		return scanning;
	}

	/** Now, and again and again: the Codex CLI makes threads whenever somebody uses it. */
	function look(): void {
		scan().then(
			({ added, files }) => {
				if (added > 0) logger.info("found threads of the Codex CLI", { added, files });
			},
			(error: unknown) => logger.warn("rollouts were not looked through", { error: messageOf(error) }),
		);
		next = clock.after(LOOK_MS, look);
	}

	return {
		scan,
		async importFile(path) {
			const whole = resolve(path);
			const known = findRolloutFile(store, whole);
			const archived = whole.startsWith(`${sessionFolders(codexHome).archived}/`);
			const threadId = await takeFile({ path: whole, archived }, { helpers: true, revive: true });
			await hydrate(threadId);
			const after = findRollout(store, threadId);
			return { threadId, skippedLines: (after?.skipped_lines ?? 0) - (known?.skipped_lines ?? 0) };
		},
		hydrate,
		ensureThread,
		async export(threadId, options = {}) {
			await ensureThread(threadId);
			return exportThread(ports, threadId, options.out);
		},
		start: look,
		async [Symbol.asyncDispose]() {
			next?.[Symbol.dispose]();
			stop.abort();
			await Promise.allSettled([scanning, ...loads.running.values()]);
		},
	};
}
