import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MIGRATIONS } from "#daemon/storage/migration/index.ts";
import { prepareDatabase } from "#daemon/storage/prepare.ts";
import { readHistory } from "#daemon/storage/repository/chat-history.ts";
import { listThreads, requireThread } from "#daemon/storage/repository/chat-thread.ts";
import { readTurns } from "#daemon/storage/repository/chat-turn.ts";
import { openConnection } from "#daemon/storage/sqlite.ts";
import { openTestStore } from "#test/support/store.ts";

const OLD_ROWS = `
INSERT INTO chat_thread (thread_id, agent_name, title, provider, model, cwd, machine_id, approval_policy, sandbox, env, turn_count, created_at_ms, updated_at_ms)
	VALUES ('t1', 'amber', 'Old', 'codex', NULL, '/w', 'm', 'never', 'read-only', '{}', 1, 1, 2);
INSERT INTO chat_turn (turn_id, thread_id, position, status, final_text, git_head_before, started_at_ms, completed_at_ms)
	VALUES ('u1', 't1', 1, 'completed', 'hi', 'abc', 1, 2);
INSERT INTO chat_item (turn_id, ordinal, item_id, open, json) VALUES ('u1', 0, 'i1', 0, '{"type":"agentMessage","id":"i1","text":"hi","phase":null}');
INSERT INTO chat_history (thread_id, position, turn_id, json) VALUES ('t1', 1, 'u1', '{"type":"message"}');
INSERT INTO chat_effect (thread_id, turn_id, item_id, kind, state, detail, intended_at_ms) VALUES ('t1', 'u1', 'c1', 'command', 'done', '{}', 1);
`;

test("storage: threads of the schema before the Codex protocol read back whole", async () => {
	const folder = await mkdtemp(join(tmpdir(), "migration-"));
	try {
		const path = join(folder, "homie.db");
		const before = MIGRATIONS.filter(({ version }) => version < 6);
		prepareDatabase({ path, backupsDir: join(folder, "backups"), migrations: before, nowMs: 1 });
		const connection = openConnection(path);
		connection.database.exec(OLD_ROWS);
		connection.close();
		await using store = await openTestStore({ path });
		expect(listThreads(store, { archived: false, limit: 5 }).threads).toHaveLength(1);
		expect(requireThread(store, "t1")).toMatchObject({
			title: "Old",
			settings: {},
			preview: null,
			named: false,
		});
		expect(readTurns(store, { thread_id: "t1", limit: 5 }).turns).toMatchObject([
			{
				turn_id: "u1",
				kind: "regular",
				status: "completed",
				git_head_before: "abc",
				items: [{ text: "hi" }],
			},
		]);
		expect(readHistory(store, "t1")).toEqual([{ type: "message" }]);
		expect(store.all("SELECT kind, state FROM chat_effect")).toEqual([{ kind: "command", state: "done" }]);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
});
