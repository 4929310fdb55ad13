import { expect, test } from "vitest";
import { type Bench, type MemoryClient, member, openBench } from "./memory-client.ts";

const EXPERIMENTAL = { experimentalApi: true };
const text = (said: string) => ({ items: [{ type: "text" as const, text: said }] });

async function greeted(bench: Bench): Promise<MemoryClient> {
	const client = bench.client();
	await client.hello(EXPERIMENTAL);
	return client;
}

async function start(client: MemoryClient, params: object): Promise<string> {
	return String(member(await client.request("thread/start", params), "result.thread.id"));
}

/** Says something and waits for the turn's end; the turn's id. */
async function turn(client: MemoryClient, threadId: string): Promise<string> {
	const input = [{ type: "text", text: "go on", text_elements: [] }];
	const answer = await client.request("turn/start", { threadId, input });
	const turnId = member(answer, "result.turn.id");
	await client.until(
		(message) => message["method"] === "turn/completed" && member(message, "params.turn.id") === turnId,
	);
	return String(turnId);
}

test("codex tui: a permission profile is the sandbox that it stands for when a thread starts and later", async () => {
	await using bench = await openBench();
	const client = await greeted(bench);
	const started = await client.request("thread/start", { permissions: ":danger-full-access" });
	expect(member(started, "result.sandbox")).toEqual({ type: "dangerFullAccess" });
	expect(member(started, "result.activePermissionProfile")).toEqual({
		id: ":danger-full-access",
		extends: null,
	});
	const threadId = String(member(started, "result.thread.id"));
	await client.request("thread/settings/update", { threadId, permissions: ":read-only" });
	const told = await client.told("thread/settings/updated");
	expect(member(told, "params.threadSettings")).toMatchObject({
		sandboxPolicy: { type: "readOnly" },
		activePermissionProfile: { id: ":read-only" },
	});
});

test.each([
	[{ permissions: ":workspace", sandbox: "read-only" }, "`permissions` cannot be combined with `sandbox`"],
	[
		{ permissions: "mine" },
		"failed to load configuration: default_permissions requires a `[permissions]` table",
	],
])("codex tui: %j is refused in the real server's words", async (params, message) => {
	await using bench = await openBench();
	const client = await greeted(bench);
	const answer = await client.request("thread/start", params);
	expect(answer["error"]).toEqual({ code: -32600, message });
});

test("codex tui: a collaboration mode says model and effort, and later words change them", async () => {
	await using bench = await openBench();
	const client = await greeted(bench);
	const threadId = await start(client, {});
	const settings = { model: "gpt-5.5", reasoning_effort: "medium", developer_instructions: null };
	const collaborationMode = { mode: "plan", settings };
	await client.request("thread/settings/update", { threadId, collaborationMode });
	await client.request("thread/settings/update", { threadId, effort: "high" });
	const told = client.inbox.filter(({ method }) => method === "thread/settings/updated");
	const shown = told.map((message) => [
		member(message, "params.threadSettings.effort"),
		member(message, "params.threadSettings.collaborationMode.mode"),
		member(message, "params.threadSettings.collaborationMode.settings.reasoning_effort"),
	]);
	expect(shown).toEqual([
		["medium", "plan", "medium"],
		["high", "plan", "high"],
	]);
});

test("codex tui: clients hear that a thread was cut back, and what was read stays read", async () => {
	await using bench = await openBench([text("one"), text("two")]);
	const client = await greeted(bench);
	const threadId = await start(client, {});
	await turn(client, threadId);
	const second = await turn(client, threadId);
	const { readState } = (await client.request("thread/read", { threadId }))["result"] as {
		readState: { firstUnread: unknown; revision: string };
	};
	expect(readState.firstUnread).not.toBeNull();
	const operation = { type: "read" };
	await client.request("thread/readState/update", {
		...{ threadId, operation },
		expectedRevision: readState.revision,
	});
	await client.request("thread/revert", { threadId, beforeTurnId: second });
	await client.told("thread/reverted");
	const read = await client.request("thread/read", { threadId });
	expect(member(read, "result.readState.firstUnread")).toBeNull();
});

test("codex tui: an ephemeral thread refuses what only a kept one can", async () => {
	await using bench = await openBench([text("aside")]);
	const client = await greeted(bench);
	const threadId = await start(client, { ephemeral: true });
	await turn(client, threadId);
	const refusals: Record<string, string> = {
		"thread/turns/list": "ephemeral threads do not support thread/turns/list",
		"thread/archive": `no rollout found for thread id ${threadId}`,
		"thread/resume": `no rollout found for thread id ${threadId}`,
		"thread/goal/get": `ephemeral thread does not support goals: ${threadId}`,
	};
	for (const [method, message] of Object.entries(refusals)) {
		const answer = await client.request(method, { threadId });
		expect(answer["error"]).toEqual({ code: -32600, message });
	}
	expect(client.inbox.some(({ method }) => method === "thread/readState/changed")).toBe(false);
});
