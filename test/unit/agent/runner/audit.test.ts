import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readAudit, verifyAudit } from "#daemon/storage/repository/audit.ts";
import { inspectAudit } from "#daemon/storage/repository/audit-inspect.ts";
import { saveStepsWrite } from "#daemon/storage/repository/chat-turn.ts";
import { openConnection } from "#daemon/storage/sqlite.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { call, createHarness, type Harness } from "./harness.ts";

type Required = Extract<ChatEvent, { type: "chat.approval.required" }>;
const isRequired = (event: ChatEvent): event is Required => event.type === "chat.approval.required";
const message = (thread_id: string) => ({ thread_id, text: "go", when_busy: "steer" as const });
const asks = { call: { ask: true }, id: "c1" };

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "audit-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Oldest first, the detail parsed. */
function rows(h: Harness) {
	return readAudit(h.store, 100)
		.reverse()
		.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));
}

test("audit: an answer and what it let happen are written down with who asked, who agreed, and the argv", async () => {
	await using h = await createHarness({ script: [[asks], ["done"]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call("kim"));
	const { approval } = await h.until(isRequired);
	const answer = { approval_id: approval.approval_id, decision: "accept" as const, digest: "digest-1" };
	await h.runner.respondApproval(answer, call("phone"));
	await h.when("chat.turn.completed");
	const written = rows(h);
	expect(written.map((row) => [row.action, row.client, row.decision, row.decided_by])).toEqual([
		["approval.command", "kim", "accept", "phone"],
		["command.intended", "kim", "accept", "phone"],
		["command.done", "kim", "accept", "phone"],
	]);
	for (const row of written) {
		expect(row.actor).toBe(`#${approval.agent_name}`);
		expect(row.machine_id).toBe("machine-1");
		expect(row.detail).toMatchObject({ thread_id: threadId, item_id: "c1" });
	}
	expect(written[1]?.detail).toMatchObject({
		argv: ["act"],
		argv_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
	});
	expect(written[2]?.detail).toMatchObject({ outcome: { exit_code: 0 } });
	expect(verifyAudit(h.store)).toBeNull();
});

test("audit: an approval that the turn's end expired has its row with the reason and nobody's name", async () => {
	await using h = await createHarness({ script: [[asks]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call());
	await h.until(isRequired);
	await h.runner.cancel({ thread_id: threadId }, call("kim"));
	expect(rows(h)).toMatchObject([
		{
			...{ action: "approval.command", decision: "expired", decided_by: null },
			detail: { reason: "interrupted by kim" },
		},
	]);
});

test("audit: a patch has its files with the hashes before and after; what the policy allowed says so; secrets are blanked", async () => {
	await using h = await createHarness({ script: [["x ", { gate: "g" }]] });
	const threadId = await h.thread();
	const { turn_id } = await h.runner.sendMessage(message(threadId), call());
	const files = [{ path: "/w/a", moveTo: null, before: "1".repeat(64), after: "2".repeat(64) }];
	const argv = ["curl", "-H", "Authorization: Bearer abcdefghijkl"];
	await h.store.write(saveStepsWrite, {
		...{ thread_id: threadId, turn_id },
		steps: [
			{ step: "effect_intended", item_id: "p1", kind: "patch", detail: { cwd: "/w", files } },
			{ step: "effect_intended", item_id: "c1", kind: "command", detail: { argv, cwd: "/w" } },
		],
	});
	const [patch, command] = rows(h);
	expect(patch).toMatchObject({
		...{ action: "patch.intended", decision: "allowed", decided_by: "policy" },
		detail: { cwd: "/w", files },
	});
	expect(JSON.stringify(command)).not.toContain("abcdefghijkl");
});

test("audit: what a crash left open becomes a row of unknown outcome", async () => {
	await using h = await createHarness({ script: [[{ call: { gate: "cmd" }, id: "c1" }]] });
	await h.runner.sendMessage(message(await h.thread()), call());
	await h.gates.reached("cmd");
	const path = join(folder, "homie.db");
	await copyFile(h.store.path, path);
	await copyFile(`${h.store.path}-wal`, `${path}-wal`);
	await using next = await createHarness({ path });
	await next.runner.recover();
	expect(rows(next).map((row) => row.action)).toEqual(["command.intended", "command.unknown"]);
	h.gates.open("cmd");
});

test("audit: a row changed, taken out or cut off the end is found, also from outside", async () => {
	await using h = await createHarness({ script: [[asks], ["done"]] });
	await h.runner.sendMessage(message(await h.thread()), call());
	const { approval } = await h.until(isRequired);
	const answer = { approval_id: approval.approval_id, decision: "accept" as const, digest: "digest-1" };
	await h.runner.respondApproval(answer, call());
	await h.when("chat.turn.completed");
	const attacks: [string, number][] = [
		["UPDATE audit SET decided_by = 'someone else' WHERE audit_id = 1", 1],
		["DELETE FROM audit WHERE audit_id = 2", 3],
		["DELETE FROM audit WHERE audit_id = 3", 3],
	];
	expect(inspectAudit(h.store.path)).toEqual({ rows: 3, brokenAt: null });
	for (const [index, [sql, brokenAt]] of attacks.entries()) {
		const path = join(folder, `${index}.db`);
		await copyFile(h.store.path, path);
		await copyFile(`${h.store.path}-wal`, `${path}-wal`);
		const raw = openConnection(path);
		raw.database.exec(`DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; ${sql}`);
		raw.close();
		expect(inspectAudit(path)?.brokenAt, sql).toBe(brokenAt);
	}
	expect(inspectAudit(join(folder, "none.db"))).toBeUndefined();
});
