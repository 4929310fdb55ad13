import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { deleteThreadWrite } from "#daemon/storage/repository/chat-delete.ts";
import { endTurnWrite } from "#daemon/storage/repository/chat-end.ts";
import { openTaskWrite } from "#daemon/storage/repository/chat-task.ts";
import { createThreadWrite, findThread, listThreads } from "#daemon/storage/repository/chat-thread.ts";
import { rolloutBeginWrite, rolloutStepsWrite } from "#daemon/storage/repository/rollout-import.ts";
import { findRollout } from "#daemon/storage/repository/rollout-row.ts";
import { listThreadAgents } from "#daemon/storage/repository/weave-agent.ts";
import type { ThreadSettings } from "#protocol/record.ts";
import { event, ID, meta, openRolloutHome, type RolloutHome, said, turn } from "./rollout-home.ts";

const OTHER = "0197aaaa-0000-7000-8000-00000000000b";
const list = (home: RolloutHome, archived = false) =>
	listThreads(home.store, { archived, limit: 100 }).threads.map(({ thread_id }) => thread_id);

async function ownTurn({ store }: RolloutHome): Promise<string> {
	const { turn_id } = await store.write(openTaskWrite, { thread_id: ID, kind: "compact" });
	const end = {
		status: "completed" as const,
		reason: null,
		error: null,
		final_text: null,
		git_head_after: null,
	};
	await store.write(endTurnWrite, { thread_id: ID, turn_id, ...end, steps: [], start_next: false });
	return turn_id;
}

const create = (threadId: string, settings: ThreadSettings = {}) => ({
	...{ thread_id: threadId, agent_name: null, title: "Ours", provider: null, model: null, cwd: "/work" },
	...{ machine_id: "machine-1", approval_policy: "never" as const, sandbox: "read-only" as const, env: {} },
	...{ codex_home: null, controller: { client: "c", device: "d" }, settings },
});

test("rollout: a second look finds nothing new, and one file is one thread", async () => {
	await using home = await openRolloutHome();
	await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.put([meta({ id: OTHER }), ...turn("t2", "Two", "2")], OTHER);
	expect(await home.library.scan()).toMatchObject({ files: 2, added: 2 });
	expect(await home.library.scan()).toMatchObject({ files: 2, added: 0, updated: 0 });
	expect(list(home)).toHaveLength(2);
	expect(home.shown()).toEqual([]);
	await Promise.all([home.library.ensureThread(ID), home.library.ensureThread(ID), home.library.hydrate(ID)]);
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(1);
	expect(home.history()).toEqual(["One", "1"]);
});

test("rollout: an imported thread is an agent once somebody looks into it", async () => {
	await using home = await openRolloutHome();
	await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.library.scan();
	expect(listThreadAgents(home.store, ID)).toEqual([]);
	await home.library.ensureThread(ID);
	expect(listThreadAgents(home.store, ID)).toHaveLength(1);
	expect(findThread(home.store, ID)?.agent_name).toBe("codex-0000000a");
});

test("rollout: files of helpers, without words or without sense make no threads, and say why", async () => {
	await using home = await openRolloutHome();
	await home.put([meta({ source: { subagent: "review" } }), ...turn("t1", "One", "1")]);
	await home.put([meta({ id: OTHER })], OTHER);
	await home.put(["nothing of the kind"], "0197aaaa-0000-7000-8000-00000000000c");
	await home.put(
		[meta({ id: "../../etc" }), ...turn("t1", "One", "1")],
		"0197aaaa-0000-7000-8000-00000000000d",
	);
	const { added, skippedCount, skipped } = await home.library.scan();
	expect({ added, skippedCount }).toEqual({ added: 0, skippedCount: 4 });
	expect(skipped.map(({ reason }) => reason).sort()).toEqual([
		"it belongs to a helper of an agent",
		"it does not begin as a rollout does",
		"its thread has no id that could be kept",
		"nobody said anything in it",
	]);
});

test("rollout: a thread that was deleted here stays deleted, until its file is asked for", async () => {
	await using home = await openRolloutHome();
	const path = await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.library.scan();
	await home.store.write(deleteThreadWrite, { thread_id: ID });
	await home.add(path, turn("t2", "Two", "2"));
	expect(await home.library.scan()).toMatchObject({ added: 0 });
	await home.library.ensureThread(ID);
	expect(list(home)).toEqual([]);
	expect(await home.library.importFile(path)).toEqual({ threadId: ID, skippedLines: 0 });
	expect(home.shown()).toHaveLength(2);
});

test("rollout: what the CLI puts away or names is put away and named here", async () => {
	await using home = await openRolloutHome();
	const path = await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.put([meta({ id: OTHER }), ...turn("t2", "Two", "2")], OTHER);
	await home.library.scan();
	const archive = join(home.codexHome, "archived_sessions");
	await mkdir(archive);
	await rename(path, join(archive, basename(path)));
	const names = [
		{ id: ID, thread_name: "Old" },
		{ id: ID, thread_name: "A name" },
		{ id: OTHER, thread_name: "The other" },
	];
	await writeFile(
		join(home.codexHome, "session_index.jsonl"),
		names.map((name) => `${JSON.stringify(name)}\n`).join(""),
	);
	expect(await home.library.scan()).toMatchObject({ added: 0, updated: 2 });
	expect(list(home)).toEqual([OTHER]);
	expect(findThread(home.store, OTHER)).toMatchObject({ title: "The other", named: true });
	expect(await home.library.scan()).toMatchObject({ added: 0, updated: 0 });
	expect(list(home, true)).toEqual([ID]);
	expect(findThread(home.store, ID)).toMatchObject({ title: "A name", named: true });
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(1);
});

test("rollout: a thread that the CLI made since the last look is found by its id", async () => {
	await using home = await openRolloutHome();
	await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(1);
	await home.library.ensureThread(OTHER);
	expect(list(home)).toEqual([ID]);
});

test("rollout: growth of a file is read while the thread has no turns of its own, and never after", async () => {
	await using home = await openRolloutHome();
	const path = await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.library.ensureThread(ID);
	await home.add(path, turn("t2", "Two", "2"));
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(2);
	await ownTurn(home);
	await home.add(path, turn("t3", "Three", "3"));
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(3);
	expect(home.history()).toEqual(["One", "1", "Two", "2"]);
});

test("rollout: a file that is gone leaves the thread as it was read", async () => {
	await using home = await openRolloutHome();
	const path = await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.library.ensureThread(ID);
	await rm(path);
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(1);
});

test("rollout: a load that was cut off is repeated whole", async () => {
	await using home = await openRolloutHome();
	await home.put([meta(), ...turn("t1", "One", "1"), ...turn("t2", "Two", "2")]);
	await home.library.scan();
	await home.store.write(rolloutBeginWrite, { thread_id: ID });
	const steps = [{ step: "turn" as const, turn_id: "t1", started_at_ms: 1 }];
	await home.store.write(rolloutStepsWrite, { thread_id: ID, steps });
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(2);
	expect(home.history()).toEqual(["One", "1", "Two", "2"]);
});

test("rollout: files of threads that the real codex runs for us, and of our own, make no second thread", async () => {
	await using home = await openRolloutHome();
	await home.store.write(
		createThreadWrite,
		create("0197bbbb-0000-7000-8000-000000000001", { provider_thread_id: ID }),
	);
	await home.store.write(createThreadWrite, create(OTHER));
	await home.put([meta(), ...turn("t1", "One", "1")]);
	await home.put([meta({ id: OTHER }), ...turn("t2", "Two", "2")], OTHER);
	expect(await home.library.scan()).toMatchObject({ added: 0, updated: 0 });
	await home.library.ensureThread(OTHER);
	expect(home.shown(OTHER)).toEqual([]);
	expect(findRollout(home.store, OTHER)?.state).toBe("ours");
});

test("rollout: an export replaces only what we wrote and nobody touched", async () => {
	await using home = await openRolloutHome();
	await home.put([meta({ id: OTHER }), ...turn("t1", "One", "1")], OTHER);
	await home.library.ensureThread(OTHER);
	await expect(home.library.export(OTHER)).rejects.toMatchObject({ code: "CONFLICT" });
	const out = join(home.codexHome, "elsewhere", "copy.jsonl");
	expect(await home.library.export(OTHER, { out })).toEqual({ path: out });
	await expect(home.library.export(OTHER, { out })).rejects.toMatchObject({ code: "CONFLICT" });
	await expect(home.library.export(OTHER, { out: "relative" })).rejects.toMatchObject({
		code: "INVALID_PARAMS",
	});
	await expect(home.library.export(ID)).rejects.toMatchObject({ code: "THREAD_NOT_FOUND" });

	await home.store.write(createThreadWrite, create(ID));
	const { path } = await home.library.export(ID);
	expect((await stat(path)).mode & 0o777).toBe(0o600);
	const turnId = await ownTurn(home);
	await home.library.export(ID);
	expect(await readFile(path, "utf8")).toContain(turnId);
	expect(await readFile(join(home.codexHome, "session_index.jsonl"), "utf8")).toContain("Ours");
	await home.add(path, turn("t9", "From there", "9"));
	await home.library.ensureThread(ID);
	expect(home.shown()).toHaveLength(2);
	await expect(home.library.export(ID)).rejects.toMatchObject({ code: "CONFLICT" });
	expect(await home.library.scan()).toMatchObject({ added: 0 });
	expect(dirname(path)).toContain("sessions");
});

test("rollout: what was exported reads the same when another store imports it", async () => {
	await using home = await openRolloutHome();
	const path = await home.put([
		meta(),
		...turn("t1", "One", "1"),
		event({ type: "task_started", turn_id: "t2" }),
		said("Two"),
		event({ type: "turn_aborted", turn_id: "t2", reason: "interrupted" }),
		...turn("t3", "Three", "3"),
	]);
	await home.library.ensureThread(ID);
	await using other = await openRolloutHome();
	const out = join(other.codexHome, basename(path));
	await home.library.export(ID, { out });
	expect(await other.library.importFile(out)).toEqual({ threadId: ID, skippedLines: 0 });
	expect(other.shown()).toEqual(home.shown());
	expect(other.status()).toEqual(home.status());
	expect(other.history()).toEqual(home.history());
});
