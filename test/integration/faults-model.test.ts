import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CodexClient, type CodexMessage, connectFacade } from "#test/support/codex-client.ts";
import { openTestFacade, type TestFacade } from "#test/support/codex-facade.ts";
import { type FaultyModel, type ModelWire, startFaultyModel } from "#test/support/faulty-model.ts";
import { fineAnswer, MODEL_FAULTS } from "#test/support/model-faults.ts";
import { writeCodexHome } from "#test/support/scripted-model.ts";

const PATIENCE = "request_max_retries = 1\nstream_max_retries = 1\nstream_idle_timeout_ms = 4000";

interface Thing {
	type: string;
	id: string;
	[member: string]: unknown;
}

let dir: string;
let model: FaultyModel;
let server: TestFacade;
let client: CodexClient;
const struck = new Set<string>();

/** The fault that a message of the person names, at its first request; all other answers are fine. */
function answerOf(body: ModelWire["body"]) {
	const said = JSON.stringify(body.input);
	const name = /fault: ([^"\\]+)/u.exec(said)?.[1] ?? "";
	const [fault] = MODEL_FAULTS[name] ?? [];
	if (fault === undefined || struck.has(name)) return fineAnswer;
	struck.add(name);
	return fault;
}

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), "faults-"));
	await mkdir(join(dir, "work"));
	model = await startFaultyModel((_nth, body) => answerOf(body));
	writeCodexHome(join(dir, "codex"), model.url, PATIENCE);
	const env = {
		PATH: process.env["PATH"] ?? "",
		HOME: dir,
		CODEX_HOME: join(dir, "codex"),
		HOMIE_HOME: join(dir, "homie"),
		WEAVE_HOME: join(dir, "weave"),
	};
	server = await openTestFacade({ env, cwd: join(dir, "work") });
	client = await connectFacade(server.facade);
});
afterAll(async () => {
	// What a model says badly is no failure of ours.
	const errors = server.logger.lines.filter(({ level }) => level === "error");
	client[Symbol.dispose]();
	await server[Symbol.asyncDispose]();
	await model[Symbol.asyncDispose]();
	await rm(dir, { recursive: true, force: true, maxRetries: 5 });
	expect(errors).toEqual([]);
});

interface Ended {
	id: string;
	status: string;
	error: { message: string } | null;
}

async function startThread(): Promise<string> {
	const params = { cwd: join(dir, "work"), approvalPolicy: "never", sandbox: "danger-full-access" };
	const { thread } = await client.request<{ thread: { id: string } }>("thread/start", params);
	return thread.id;
}

async function takeTurn(threadId: string, text: string): Promise<Ended> {
	const input = [{ type: "text", text, text_elements: [] }];
	const { turn } = await client.request<{ turn: { id: string } }>("turn/start", { threadId, input });
	const isEnd = ({ method, params }: CodexMessage): boolean =>
		method === "turn/completed" && (params?.["turn"] as Ended | undefined)?.id === turn.id;
	return (await client.seen(`the end of ${text}`, isEnd)).params?.["turn"] as Ended;
}

/** What the thread keeps of each turn against what was told of it as completed; told twice, the newer counts. */
async function compareItems(threadId: string): Promise<{ told: Thing[]; kept: (Thing | undefined)[] }> {
	const { thread } = await client.request<{ thread: { turns: { id: string; items: Thing[] }[] } }>(
		"thread/read",
		{ threadId, includeTurns: true },
	);
	const told = new Map<string, Thing>();
	for (const { method, params } of client.inbox) {
		if (method !== "item/completed" || params?.["threadId"] !== threadId) continue;
		const item = params["item"] as Thing;
		told.set(`${params["turnId"]} ${item.id}`, item);
	}
	const kept = new Map<string, Thing>(
		thread.turns.flatMap(({ id, items }) => items.map((item) => [`${id} ${item.id}`, item] as const)),
	);
	return { told: [...told.values()], kept: [...told.keys()].map((key) => kept.get(key)) };
}

describe.concurrent("faults: a model server", () => {
	test.each(Object.entries(MODEL_FAULTS))(
		"that %s: the turn ends, the thread goes on",
		async (name, [, ends]) => {
			const threadId = await startThread();
			const { status, error } = await takeTurn(threadId, `fault: ${name}`);
			const allowed = ends === "either" ? ["completed", "failed"] : [ends];
			expect(allowed, error?.message).toContain(status);
			expect((await takeTurn(threadId, "again")).status).toBe("completed");
			const { told, kept } = await compareItems(threadId);
			expect(kept).toEqual(told);
		},
	);
});
