import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CodexClient, type CodexMessage, connectCodexSocket } from "#test/support/codex-client.ts";
import { type ModelWire, startFaultyModel, type WriteAnswer } from "#test/support/faulty-model.ts";
import { createRandom, pick } from "#test/support/fuzz/random.ts";
import { fineAnswer } from "#test/support/model-faults.ts";
import { createProduct } from "#test/support/product.ts";
import { writeCodexHome } from "#test/support/scripted-model.ts";

const THREADS = 50;
const SEED = Number(process.env["FAULT_SEED"] ?? Date.now() % 2 ** 31);
const KINDS = ["text", "command", "approval", "refusal"] as const;

interface Job {
	threadId: string;
	name: string;
	kind: (typeof KINDS)[number];
}

const ends = (message: CodexMessage, threadId: string): boolean =>
	message.method === "turn/completed" && message.params?.["threadId"] === threadId;

/** Each says and does what only its own thread may: its name is in every text, command and delta. */
function answerFor(body: ModelWire["body"]): WriteAnswer {
	const said = JSON.stringify(body.input);
	const [, kind, name] = /job (\w+) (t\d+)\./u.exec(said) ?? [];
	if (name === undefined) return fineAnswer;
	const hasRun = body.input.some((item) => item["type"] === "function_call_output");
	return async (wire) => {
		wire.open();
		await wire.event("response.created", { response: {} });
		if (kind !== "text" && !hasRun) {
			const asks = kind !== "command" && { sandbox_permissions: "require_escalated", justification: "?" };
			await wire.call("exec_command", { cmd: `echo ${name} | tee -a effects.txt`, ...asks });
		} else {
			const item_id = `msg-${name}`;
			const head = { id: item_id, type: "message", role: "assistant" };
			await wire.event("response.output_item.added", { item: { ...head, content: [] } });
			for (const delta of [`${name} `, "says ", `${name}`])
				await wire.event("response.output_text.delta", { item_id, content_index: 0, delta });
			const content = [{ type: "output_text", text: `${name} says ${name}` }];
			await wire.event("response.output_item.done", { item: { ...head, content } });
		}
		await wire.complete();
	};
}

/** Live output may be told or not: a command's whole output is in its completed item. */
const LIVE_OUTPUT = "item/commandExecution/outputDelta";

function expectedStory(kind: Job["kind"]): string[] {
	const item = ["item/started", "item/completed"];
	const delta = "item/agentMessage/delta";
	const answer = ["item/started", delta, delta, delta, "item/completed"];
	return ["turn/started", ...item, ...(kind === "text" ? [] : item), ...answer, "turn/completed"];
}

const TOLD = new Set(["turn/started", "turn/completed", "item/started", "item/completed"]);
const isTold = (method: string): boolean =>
	TOLD.has(method) || (/[dD]elta$/u.test(method) && method !== LIVE_OUTPUT);

/** What was told of a job's thread, and what of it belongs to another. */
function storyOf(
	client: CodexClient,
	{ threadId, name }: Job,
): { methods: string[]; foreign: CodexMessage[] } {
	const own = client.inbox.filter(({ params }) => params?.["threadId"] === threadId);
	const told = own.filter(({ method }) => method !== undefined && isTold(method));
	const foreign = own.filter((message) => {
		const said = JSON.stringify(message).match(/\bt\d+\b/gu) ?? [];
		return said.some((each) => each !== name);
	});
	return { methods: told.map(({ method }) => String(method)), foreign };
}

describe("acceptance: many threads on one daemon", () => {
	test(`fifty turns at once, with commands and approvals: no event is lost or crossed, FAULT_SEED=${SEED}`, async () => {
		const random = createRandom(SEED);
		await using product = await createProduct();
		await using model = await startFaultyModel((_nth, body) => answerFor(body));
		writeCodexHome(product.codexHome, model.url);
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		const refused = new Set<unknown>();
		using client = await connectCodexSocket(join(product.home, "codex.sock"), ({ method, params }) => {
			if (method !== "item/commandExecution/requestApproval") return undefined;
			return { decision: refused.has(params?.["threadId"]) ? "decline" : "accept" };
		});
		using watcher = await connectCodexSocket(join(product.home, "codex.sock"));
		const jobs = await Promise.all(
			Array.from({ length: THREADS }, async (_, at): Promise<Job> => {
				const kind = pick(random, KINDS);
				const { thread } = await client.request<{ thread: { id: string } }>("thread/start", {
					cwd: product.work,
					approvalPolicy: "on-request",
					sandbox: "workspace-write",
				});
				if (kind === "refusal") refused.add(thread.id);
				return { threadId: thread.id, name: `t${at}`, kind };
			}),
		);
		await Promise.all(
			jobs.map(async ({ threadId, name, kind }) => {
				const input = [{ type: "text", text: `job ${kind} ${name}.`, text_elements: [] }];
				await client.request("turn/start", { threadId, input });
				await client.seen(`the end of ${name}`, (message) => ends(message, threadId));
			}),
		);
		for (const job of jobs) {
			const { methods, foreign } = storyOf(client, job);
			expect(methods, `${job.name} ${job.kind}`).toEqual(expectedStory(job.kind));
			expect(foreign).toEqual([]);
		}
		const ran = jobs.filter(({ kind }) => kind === "command" || kind === "approval").map(({ name }) => name);
		const effects = readFileSync(join(product.work, "effects.txt"), "utf8").trim().split("\n");
		expect(effects.toSorted()).toEqual(ran.toSorted());
		// Whoever follows no thread hears of none.
		expect(watcher.inbox.filter(({ method }) => method !== undefined && isTold(method))).toEqual([]);
	});

	test(`interrupts at random points: every turn ends, no thread is stuck, nothing runs twice, FAULT_SEED=${SEED}`, async () => {
		const random = createRandom(SEED);
		await using product = await createProduct();
		await using model = await startFaultyModel((_nth, body) => answerFor(body));
		writeCodexHome(product.codexHome, model.url);
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		using client = await connectCodexSocket(join(product.home, "codex.sock"), ({ method }) =>
			method === "item/commandExecution/requestApproval" ? { decision: "accept" } : undefined,
		);
		const interruptAt = async (at: number): Promise<void> => {
			const { thread } = await client.request<{ thread: { id: string } }>("thread/start", {
				cwd: product.work,
				approvalPolicy: "on-request",
				sandbox: "read-only",
			});
			const threadId = thread.id;
			const input = [{ type: "text", text: `job approval t${at}.`, text_elements: [] }];
			const { turn } = await client.request<{ turn: { id: string } }>("turn/start", { threadId, input });
			await new Promise((resolve) => setTimeout(resolve, random(300)));
			// A turn that has ended meanwhile is refused.
			await client.request("turn/interrupt", { threadId, turnId: turn.id }).catch(() => undefined);
			await client.seen(`the end of t${at}`, (message) => ends(message, threadId));
			const again = [{ type: "text", text: "and now?", text_elements: [] }];
			const next = await client.request<{ turn: { id: string } }>("turn/start", { threadId, input: again });
			const last = await client.seen(`the next end of t${at}`, (message) => {
				const ended = message.params?.["turn"] as { id: string } | undefined;
				return message.method === "turn/completed" && ended?.id === next.turn.id;
			});
			expect(last.params?.["turn"]).toMatchObject({ status: "completed" });
		};
		await Promise.all(Array.from({ length: 12 }, (_, at) => interruptAt(at)));
		const path = join(product.work, "effects.txt");
		const effects = readFileSync(path, { encoding: "utf8", flag: "a+" }).split("\n").filter(Boolean);
		expect(new Set(effects).size).toBe(effects.length);
	});
});
