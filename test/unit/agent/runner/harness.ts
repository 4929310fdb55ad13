import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { newId } from "#base/id.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import { runTurn } from "#daemon/agent/loop/run-turn.ts";
import type { ModelEvent, ModelItem, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import type { RunnerDeps } from "#daemon/agent/runner/deps.ts";
import { createEmbeddedRunner } from "#daemon/agent/runner/embedded-runner.ts";
import type { CodexRunner, RunnerCall, TurnEnded } from "#daemon/agent/runner/runner.ts";
import { defineTool, type Tool } from "#daemon/agent/tool.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import type { CommandExecutionItem, TokenCounts } from "#protocol/codex-item.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { openTestStore } from "#test/support/store.ts";

/** A step of a scripted answer: text, a call of the test's tool, a gate to wait at, or what the answer cost. */
export type Say =
	| string
	| { call: Record<string, unknown>; id: string }
	| { gate: string }
	| { tokens: number };

/** Named doors: opened once, they stay open. */
export interface Gates {
	reached(name: string): Promise<void>;
	pass(name: string): Promise<void>;
	open(name: string): void;
}

export function createGates(): Gates {
	const doors = new Map<string, { reached: Deferred<void>; opened: Deferred<void> }>();
	function door(name: string) {
		const known = doors.get(name) ?? { reached: createDeferred<void>(), opened: createDeferred<void>() };
		doors.set(name, known);
		return known;
	}
	return {
		reached: (name) => door(name).reached.promise,
		open: (name) => door(name).opened.resolve(),
		pass(name) {
			door(name).reached.resolve();
			return door(name).opened.promise;
		},
	};
}

const NO_TOKENS: TokenCounts = {
	totalTokens: 0,
	inputTokens: 0,
	cachedInputTokens: 0,
	cacheWriteInputTokens: 0,
	outputTokens: 0,
	reasoningOutputTokens: 0,
};

function message(id: string, text: string): ModelItem {
	return { type: "message", id, role: "assistant", content: [{ type: "output_text", text }] };
}

/** A model that says what the script says; each request takes the next answer, then "ok". */
export function createScriptedProvider(
	gates: Gates,
	script: Say[][],
): ModelProvider & { readonly requests: ModelRequest[] } {
	const requests: ModelRequest[] = [];
	async function* answer(says: Say[], signal: AbortSignal): AsyncIterable<ModelEvent> {
		const id = `msg_${newId()}`;
		let text = "";
		let usage: TokenCounts | null = null;
		for (const say of says) {
			if (typeof say === "string") {
				if (text === "") yield { type: "item_started", item: { id, kind: "message", phase: null } };
				text += say;
				yield { type: "text_delta", itemId: id, delta: say };
			} else if ("tokens" in say) {
				usage = { ...NO_TOKENS, totalTokens: say.tokens };
			} else if ("gate" in say) {
				const aborted = createDeferred<void>();
				signal.addEventListener("abort", () => aborted.resolve(), { once: true });
				await Promise.race([gates.pass(say.gate), aborted.promise]);
				if (signal.aborted) return;
			} else {
				const item = {
					type: "function_call",
					id: `fc_${say.id}`,
					call_id: say.id,
					name: "act",
					arguments: JSON.stringify(say.call),
				};
				yield { type: "item_done", item };
			}
		}
		if (text !== "") yield { type: "item_done", item: message(id, text) };
		yield { type: "completed", usage };
	}
	return {
		name: "scripted",
		detail: "a test's script",
		defaultModel: "script-1",
		contextWindow: null,
		retries: { request: 0, stream: 0 },
		requests,
		listModels: () => ["script-1"],
		providerId: "scripted",
		compaction: "local",
		describe: (model) => ({
			...{ id: model ?? "script-1", toolMode: "classic", toolsInInput: false, contextWindow: null },
			...{
				autoCompactTokens: null,
				baseInstructions: null,
				supportsParallelToolCalls: true,
				takesImages: true,
			},
			defaultEffort: null,
		}),
		stream(request, signal) {
			requests.push(request);
			return answer(script.shift() ?? ["ok"], signal);
		},
	};
}

/** A tool that asks when told to, waits at a gate when told to, and counts how often it acted. */
export function createActTool(
	gates: Gates,
): Tool & { readonly acted: string[]; readonly allowed: unknown[] } {
	const acted: string[] = [];
	const allowed: unknown[] = [];
	const tool = defineTool({
		name: "act",
		spec: { type: "function", name: "act" },
		async execute(input, context) {
			const {
				ask = false,
				gate,
				destructive = null,
				question = false,
				prefix,
			} = JSON.parse(input) as {
				ask?: boolean;
				gate?: string;
				destructive?: string | null;
				question?: boolean;
				prefix?: string[];
			};
			if (question) {
				const about = { itemId: context.callId, kind: "user_input" as const, params: { questions: [] } };
				const answer = await context.askClient?.(about);
				return { output: JSON.stringify(answer), success: true, stopTurn: false };
			}
			const item: CommandExecutionItem = {
				type: "commandExecution",
				id: context.callId,
				command: "act",
				cwd: context.cwd,
				processId: null,
				source: "agent",
				status: "inProgress",
				commandActions: [],
				aggregatedOutput: null,
				exitCode: null,
				durationMs: null,
			};
			await context.items.started(item);
			if (ask) {
				const outcome = await context.requestApproval({
					itemId: item.id,
					kind: "command",
					command: "act",
					argv: ["act"],
					cwd: context.cwd,
					changes: null,
					reason: null,
					sandbox: context.sandbox,
					destructive,
					confirmWord: destructive,
					digest: "digest-1",
					...(prefix === undefined
						? {}
						: { proposedPrefix: prefix, actions: [{ type: "unknown", command: "act" }] }),
				});
				if (outcome.allowPrefix) allowed.push(outcome.allowPrefix);
				if (!outcome.decision.startsWith("accept")) {
					await context.items.completed({ ...item, status: "declined" });
					return { output: outcome.decision, success: false, stopTurn: outcome.decision === "cancel" };
				}
			}
			await context.effects.intend({ itemId: item.id, kind: "command", detail: { argv: ["act"] } });
			acted.push(item.id);
			await context.effects.started(item.id, { pid: 4242, startTime: "7" });
			context.items.output(item.id, "out");
			if (gate !== undefined) await gates.pass(gate);
			await context.effects.done(item.id, { exit_code: 0 });
			await context.items.completed({ ...item, status: "completed", aggregatedOutput: "out", exitCode: 0 });
			return { output: "out", success: true, stopTurn: false };
		},
	});
	return { ...tool, acted, allowed };
}

const environment: Environment = {
	machineId: "machine-1",
	sandbox: { kind: "none", available: false, detail: null },
	exec: () => {
		throw new Error("not used");
	},
	readText: async () => undefined,
	writeText: async () => undefined,
	remove: async () => undefined,
	realPath: async (path) => path,
};

export interface Harness extends AsyncDisposable {
	readonly runner: CodexRunner;
	readonly store: Store & { readonly path: string };
	readonly gates: Gates;
	readonly provider: ReturnType<typeof createScriptedProvider>;
	readonly tool: ReturnType<typeof createActTool>;
	readonly events: ChatEvent[];
	readonly published: { topic: string; event: unknown }[];
	readonly ended: TurnEnded[];
	readonly cwd: string;
	/** Resolves with the first event that matches, past or future. */
	until<E extends ChatEvent>(test: (event: ChatEvent) => event is E): Promise<E>;
	when(type: ChatEvent["type"], turnId?: string): Promise<ChatEvent>;
	thread(): Promise<string>;
}

export const call = (label = "tester"): RunnerCall => ({ label, clientId: "c1", idempotency: undefined });

interface HarnessOptions {
	script?: Say[][];
	deps?: Partial<RunnerDeps>;
	/** A database that another harness left behind. */
	path?: string;
}

/** The real runner, loop and store around a scripted model and one test tool. */
export async function createHarness({ script = [], deps = {}, path }: HarnessOptions = {}): Promise<Harness> {
	const cwd = await mkdtemp(join(tmpdir(), "runner-"));
	const store = await openTestStore(path === undefined ? {} : { path });
	const gates = createGates();
	const provider = createScriptedProvider(gates, script);
	const tool = createActTool(gates);
	const events: ChatEvent[] = [];
	const published: { topic: string; event: unknown }[] = [];
	const ended: TurnEnded[] = [];
	const watchers = new Set<() => void>();
	const runner = createEmbeddedRunner({
		store,
		clock: systemClock,
		newId,
		random: Math.random,
		publish(topic, event) {
			published.push({ topic, event });
			if (topic === "chats.activity") events.push(event as ChatEvent);
			for (const watcher of watchers) watcher();
		},
		environment,
		tools: async () => [tool],
		providers: {
			resolve: () => provider,
			defaults: () => ({ provider: "scripted", model: "script-1", approvalPolicy: null, sandbox: null }),
		},
		hooks: { run: async () => undefined },
		runTurn,
		prelude: async () => [],
		gitHead: async () => null,
		isProcessAlive: () => false,
		logger: createMemoryLogger(),
		telemetry: {
			count: () => undefined,
			observe: () => undefined,
			gauge: () => ({ [Symbol.dispose]: () => undefined }),
			trace: () => undefined,
		},
		fault: () => undefined,
		...deps,
	});
	runner.onTurnEnded((turn) => ended.push(turn));
	function until<E extends ChatEvent>(test: (event: ChatEvent) => event is E): Promise<E> {
		const found = createDeferred<E>();
		function look(): void {
			const hit = events.find(test);
			if (!hit) return;
			watchers.delete(look);
			found.resolve(hit);
		}
		watchers.add(look);
		look();
		return found.promise;
	}
	return {
		runner,
		store,
		gates,
		provider,
		tool,
		events,
		published,
		ended,
		cwd,
		until,
		when: (type, turnId) =>
			until(
				(event): event is ChatEvent =>
					event.type === type && (turnId === undefined || event.turn_id === turnId),
			),
		async thread() {
			const { thread } = await runner.createThread({ cwd }, call());
			return thread.thread_id;
		},
		async [Symbol.asyncDispose]() {
			await runner[Symbol.asyncDispose]();
			await store[Symbol.asyncDispose]();
			await rm(cwd, { recursive: true, force: true });
		},
	};
}
