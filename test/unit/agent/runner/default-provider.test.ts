import { expect, test } from "vitest";
import type { ModelProvider } from "#daemon/agent/model.ts";
import { call, createGates, createHarness, createScriptedProvider } from "./harness.ts";

const message = (thread_id: string) => ({ thread_id, text: "hi", when_busy: "steer" as const });

test("default provider: a thread made offline uses what the default is after a login, and shows it", async () => {
	const gates = createGates();
	const offline = { ...createScriptedProvider(gates, []), name: "offline", defaultModel: null };
	const codex = { ...createScriptedProvider(gates, []), name: "codex", defaultModel: "gpt-x" };
	let current: ModelProvider = offline;
	await using h = await createHarness({
		deps: {
			providers: {
				resolve: (name) => (name === null ? current : name === "offline" ? offline : codex),
				defaults: () => ({
					...{ provider: current.name, model: current.defaultModel },
					...{ approvalPolicy: null, sandbox: null },
				}),
			},
		},
	});
	const follows = await h.thread();
	const { thread: chosen } = await h.runner.createThread({ cwd: h.cwd, provider: "offline" }, call());
	expect(h.runner.readThread({ thread_id: follows, limit: 1 }).thread).toMatchObject({
		...{ provider: "offline", model: null },
	});
	current = codex;
	for (const threadId of [follows, chosen.thread_id]) {
		const { turn_id } = await h.runner.sendMessage(message(threadId), call());
		await h.when("chat.turn.completed", turn_id);
	}
	expect(codex.requests.map((request) => [request.threadId, request.model])).toEqual([[follows, "gpt-x"]]);
	expect(offline.requests.map((request) => request.threadId)).toEqual([chosen.thread_id]);
	const { threads } = h.runner.listThreads({ archived: false, limit: 10 });
	const shown = new Map(threads.map((thread) => [thread.thread_id, [thread.provider, thread.model]]));
	expect(shown.get(follows)).toEqual(["codex", "gpt-x"]);
	expect(shown.get(chosen.thread_id)).toEqual(["offline", null]);
});

test("default provider: a model that a person chose stays, and a broken configuration hides no thread", async () => {
	const provider = createScriptedProvider(createGates(), []);
	let broken = false;
	await using h = await createHarness({
		deps: {
			providers: {
				resolve: () => provider,
				defaults() {
					if (broken) throw new Error("config.toml is broken");
					return { provider: "codex", model: "gpt-x", approvalPolicy: null, sandbox: null };
				},
			},
		},
	});
	const { thread } = await h.runner.createThread({ cwd: h.cwd, model: "mine" }, call());
	expect(thread).toMatchObject({ provider: "codex", model: "mine" });
	broken = true;
	expect(h.runner.readThread({ thread_id: thread.thread_id, limit: 1 }).thread).toMatchObject({
		...{ provider: "none", model: "mine" },
	});
});
