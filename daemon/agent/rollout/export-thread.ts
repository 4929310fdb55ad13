import { isAbsolute, resolve } from "node:path";
import { AppError } from "#base/app-error.ts";
import { requireThread, type StoredThread } from "#daemon/storage/repository/chat-thread.ts";
import { rolloutExportedWrite } from "#daemon/storage/repository/rollout-head.ts";
import { findRollout, lastTurnId, type RolloutRow } from "#daemon/storage/repository/rollout-row.ts";
import { exportLines } from "./export-lines.ts";
import { fileAt, rolloutPathFor, sessionFolders } from "./find-files.ts";
import type { RolloutPorts } from "./port.ts";
import { appendSessionName } from "./session-index.ts";
import { writeRollout } from "./write-file.ts";

/** Whether a file that is there may be replaced: one that we wrote and nobody touched since. */
async function mayReplace(path: string, row: RolloutRow | undefined): Promise<boolean> {
	const file = await fileAt(path);
	if (file === undefined) return false;
	const isOurs =
		row?.state === "exported" &&
		row.path === path &&
		row.size_bytes === file.size_bytes &&
		row.mtime_ms === file.mtime_ms;
	if (isOurs) return true;
	const hint = "Name another with --out, or export a fork of the thread.";
	throw new AppError("CONFLICT", `There is a file ${path} that is not ours to replace. ${hint}`);
}

/** Only what lies in the Codex home is somewhere that its CLI finds; only that is remembered. */
async function remember(ports: RolloutPorts, thread: StoredThread, path: string): Promise<void> {
	const { store, codexHome, clock } = ports;
	const file = await fileAt(path);
	if (file === undefined || !path.startsWith(`${sessionFolders(codexHome).sessions}/`)) return;
	const { thread_id, title } = thread;
	await store.write(rolloutExportedWrite, { thread_id, file, last_turn_id: lastTurnId(store, thread_id) });
	if (thread.named === true && title !== null)
		await appendSessionName(codexHome, { id: thread_id, name: title, atMs: clock.nowMs() });
}

/** Writes a thread as a rollout, where the Codex CLI finds it or to `out`. @throws AppError THREAD_NOT_FOUND, BUSY, CONFLICT, INVALID_PARAMS. */
export async function exportThread(
	ports: RolloutPorts,
	threadId: string,
	out: string | undefined,
): Promise<{ path: string }> {
	const { store, codexHome } = ports;
	const thread = requireThread(store, threadId);
	if (thread.active_turn_id !== null)
		throw new AppError("BUSY", "A turn is running in this thread; cancel it or wait for its end.");
	if (out !== undefined && !isAbsolute(out))
		throw new AppError("INVALID_PARAMS", `The file must be named by an absolute path: ${out}`);
	const path = out === undefined ? rolloutPathFor(codexHome, thread) : resolve(out);
	const row = findRollout(store, threadId);
	const replace = await mayReplace(path, row);
	const facts = { version: ports.version, provider: ports.provider() };
	await writeRollout(path, exportLines(store, thread, facts), { replace });
	// A thread that came from a file keeps that one as its own.
	if (row === undefined || row.state === "exported") await remember(ports, thread, path);
	return { path };
}
