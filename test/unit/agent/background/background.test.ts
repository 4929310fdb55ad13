import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { createBackgroundRunner, smallModelOf } from "#daemon/agent/background/background-runner.ts";
import { cleanTitle } from "#daemon/agent/background/tasks.ts";
import { createTitles, type TitlePort } from "#daemon/agent/background/titles.ts";
import type { ModelEvent, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { createBackgroundHandlers } from "#daemon/service/background/handlers.ts";
import { type Thread, type Turn, threadSchema, turnSchema } from "#protocol/record.ts";
import { chatBackgroundWrite } from "#protocol/service/background.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { createMemoryLogger } from "#test/support/logger.ts";

function providerThat(
	answer: (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>,
	models: readonly string[] = ["big", "big-mini"],
): ModelProvider {
	return {
		name: "claude",
		providerId: "claude",
		detail: "a test",
		defaultModel: "big",
		contextWindow: null,
		retries: { request: 0, stream: 0 },
		compaction: "local",
		stream: answer,
		describe: (model) => ({
			id: model ?? "big",
			toolMode: "classic",
			toolsInInput: false,
			contextWindow: null,
			autoCompactTokens: null,
			baseInstructions: null,
			supportsParallelToolCalls: true,
			takesImages: false,
			defaultEffort: null,
		}),
		listModels: () => models,
	};
}
const say = (text: string) =>
	async function* (): AsyncGenerator<ModelEvent> {
		yield { type: "text_delta", itemId: "m", delta: text };
		yield { type: "completed", usage: null };
	};

function runnerOn(resolve: () => ModelProvider, clock = systemClock) {
	let serial = 0;
	return createBackgroundRunner({
		resolve,
		settings: () => ({ provider: null, model: null }),
		clock,
		newId: () => {
			serial += 1;
			return String(serial);
		},
		logger: createMemoryLogger(),
	});
}
const TASK = { purpose: "test", instructions: "Do.", input: "this", maxTokens: 100, timeoutMs: 1000 };

test("background: a job asks a small model without tools and gives its text", async () => {
	const requests: ModelRequest[] = [];
	using background = runnerOn(() =>
		providerThat((request) => {
			requests.push(request);
			return say(" fine ")();
		}),
	);
	expect(await background.run(TASK)).toBe("fine");
	expect(requests[0]).toMatchObject({ model: "big-mini", tools: [], kind: "background" });
});

test("background: whatever goes wrong is no text, and the next job runs", async () => {
	const failure = {
		kind: "fatal",
		message: "no",
		codexErrorInfo: "other",
		additionalDetails: null,
		retryAfterMs: null,
		httpStatusCode: null,
	} as const;
	const answers: (() => ModelProvider)[] = [
		() => {
			throw new Error("no provider");
		},
		() =>
			providerThat(async function* () {
				yield { type: "failed", failure };
			}),
		() =>
			providerThat(async function* () {
				yield { type: "completed", usage: null };
				throw new Error("never reached");
			}),
		() => providerThat(say("ok")),
	];
	using background = runnerOn(() => (answers.shift() ?? (() => providerThat(say("more"))))());
	const texts = await Promise.all([1, 2, 3, 4].map(() => background.run(TASK)));
	expect(texts).toEqual([null, null, null, "ok"]);
});

test("background: a model that never answers is given up in time, and long answers are cut", async () => {
	const clock = createFakeClock();
	const begun = Promise.withResolvers<void>();
	using background = runnerOn(
		() =>
			providerThat(async function* () {
				begun.resolve();
				await new Promise(() => undefined);
				yield { type: "completed", usage: null };
			}),
		clock,
	);
	const text = background.run(TASK);
	await begun.promise;
	clock.advance(1000);
	expect(await text).toBeNull();
	using wordy = runnerOn(() => providerThat(say("x".repeat(5000))));
	expect((await wordy.run({ ...TASK, maxTokens: 10 }))?.length).toBe(40);
});

test("background: disposing drops what waits", async () => {
	const background = runnerOn(() => providerThat(say("ok")));
	background[Symbol.dispose]();
	expect(await background.run(TASK)).toBeNull();
});

test("background: small models are known by their names", () => {
	const of = (models: string[]) => smallModelOf(providerThat(say(""), models));
	expect(of(["claude-sonnet-4-6", "claude-haiku-4-5"])).toBe("claude-haiku-4-5");
	expect(of(["gpt-5.5", "gemini-pro"])).toBe("big");
});

const thread = (more: Partial<Thread> = {}): Thread =>
	threadSchema.parse({
		...{
			thread_id: "t",
			agent_name: "a",
			title: null,
			provider: "claude",
			model: null,
			cwd: "/",
			machine_id: "m",
		},
		...{ approval_policy: "never", sandbox: "read-only", status: "idle", archived: false, controller: null },
		...{ active_turn_id: null, turn_count: 1, usage: null, created_at_ms: 1, updated_at_ms: 1 },
		...more,
	});
const turn = (): Turn =>
	turnSchema.parse({
		...{ turn_id: "u", thread_id: "t", status: "completed", reason: null, error: null },
		...{ started_at_ms: 1, completed_at_ms: 2 },
		items: [
			{ type: "userMessage", id: "1", clientId: null, content: [{ type: "text", text: "Fix the build" }] },
			{ type: "agentMessage", id: "2", text: "Done.", phase: null },
		],
	});

async function titled(about: {
	thread: Thread;
	turns: Turn[];
	enabled?: boolean;
	status?: string;
}): Promise<string[]> {
	const titles: string[] = [];
	const asked: string[] = [];
	let tell: (ended: { thread_id: string; status: string }) => void = () => undefined;
	const port: TitlePort = {
		onTurnEnded(listener) {
			tell = listener;
			return { [Symbol.dispose]: () => undefined };
		},
		read: () => about,
		async setTitle(_id, title) {
			titles.push(title);
		},
	};
	using background = runnerOn(() =>
		providerThat((request) => {
			asked.push(JSON.stringify(request.input));
			return say('"Fix the broken build."')();
		}),
	);
	using _titles = createTitles({ port, background, enabled: () => about.enabled ?? true });
	tell({ thread_id: "t", status: about.status ?? "completed" });
	// Jobs run one after the other: when this one is done, so is the title's.
	await background.run(TASK);
	await new Promise((resolve) => setImmediate(resolve));
	return titles;
}

test("titles: a thread is named after its first completed turn, once, unless a person did", async () => {
	expect(await titled({ thread: thread(), turns: [turn()] })).toEqual(["Fix the broken build"]);
	expect(await titled({ thread: thread(), turns: [turn(), turn()] })).toEqual([]);
	expect(await titled({ thread: thread({ named: true }), turns: [turn()] })).toEqual([]);
	expect(await titled({ thread: thread(), turns: [turn()], enabled: false })).toEqual([]);
	expect(await titled({ thread: thread(), turns: [turn()], status: "failed" })).toEqual([]);
});

test("titles: what models put around a name is taken off", () => {
	expect(cleanTitle('\n## "Fix the build"\nand more')).toBe("Fix the build");
	expect(cleanTitle("Title: Fix it.")).toBe("Fix it");
	expect(cleanTitle(" \n ")).toBeNull();
	expect(cleanTitle("x".repeat(100))?.length).toBe(60);
});

test("background: chat.background.write gives a text for either purpose, each with its own instructions", async () => {
	const asked: string[] = [];
	using background = runnerOn(() =>
		providerThat((request) => {
			asked.push(JSON.stringify(request.input));
			return say("written")();
		}),
	);
	const handlers = createBackgroundHandlers({ background });
	for (const purpose of ["commit_message", "summary"] as const) {
		const params = chatBackgroundWrite.params.parse({ purpose, text: "the-text" });
		expect(await handlers["chat.background.write"](params)).toEqual({ text: "written" });
	}
	expect(asked[0]).toContain("git commit");
	expect(asked[1]).not.toContain("git commit");
	for (const input of asked) expect(input).toContain("the-text");
});

test("background: a long input keeps its start and its end", async () => {
	const asked: string[] = [];
	using background = runnerOn(() =>
		providerThat((request) => {
			asked.push(JSON.stringify(request.input));
			return say("fine")();
		}),
	);
	await background.run({ ...TASK, input: `start${"x".repeat(50_000)}end` });
	expect(asked[0]?.length).toBeLessThan(13_000);
	expect(asked[0]).toMatch(/start[\s\S]*end/);
});
