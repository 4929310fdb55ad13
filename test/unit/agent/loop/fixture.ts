import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/clock.ts";
import { createEmitter } from "#base/emitter.ts";
import { runTurn } from "#daemon/agent/loop/run-turn.ts";
import type {
	HookRunner,
	LoopEvent,
	LoopPorts,
	SteerMessage,
	TurnInput,
	TurnOutcome,
} from "#daemon/agent/loop-port.ts";
import type { ModelDescription, ModelItem, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { CODEX_MODELS } from "#daemon/agent/provider/codex/catalogue.ts";
import { createCodexHome } from "#daemon/agent/provider/codex/home.ts";
import { createCodexProvider } from "#daemon/agent/provider/codex/provider.ts";
import type { Tool, ToolContext, ToolResult } from "#daemon/agent/tool.ts";
import {
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
	writeCodexHome,
} from "#test/support/scripted-model.ts";

const QUIET: HookRunner = { run: () => Promise.resolve() };

/** One line per event, for comparing orders at a glance. */
export function lineOf(event: LoopEvent): string {
	switch (event.type) {
		case "item_started":
		case "item_completed":
			return `${event.type} ${event.item.type}`;
		case "history":
			return `history ${event.items.map((item) => item.type).join(",")}`;
		case "message_delta":
			return `delta ${event.delta}`;
		case "error":
			return `error ${event.error.message}${event.willRetry ? " (retry)" : ""}`;
		case "plan_delta":
			return `plan ${event.delta}`;
		case "note":
			return event.method;
		case "history_replaced":
			return `history_replaced ${event.items.map((item) => item.type).join(",")}`;
		default:
			return event.type;
	}
}

/** A tool under the test's control; it runs no process. */
export function toolOf(
	name: string,
	execute: (input: string, context: ToolContext) => Promise<ToolResult>,
): Tool {
	return { name, spec: { type: "function", name, parameters: { type: "object" } }, execute };
}

export const said = (output: string): ToolResult => ({ output, success: true, stopTurn: false });

export interface Bench extends AsyncDisposable {
	readonly model: ScriptedModel;
	readonly provider: ModelProvider;
	readonly events: LoopEvent[];
	/** Requests as the provider got them. */
	readonly asked: readonly ModelRequest[];
	/** Without the limits that follow each usage. */
	lines(): string[];
	/** Resolves when an event of that line was told. */
	told(line: string): Promise<void>;
	steer(text: string): void;
	interrupt(): void;
	run(
		text: string,
		options?: { tools?: readonly Tool[]; input?: Partial<TurnInput>; hooks?: HookRunner },
	): Promise<TurnOutcome>;
	/** Input items of the n-th request. */
	inputOf(request: number): ModelItem[];
}

/** A turn on the real provider against a scripted model; time is the machine's unless a clock is given. */
export async function createBench(
	responses: ScriptedResponse[],
	options: {
		toml?: string;
		clock?: Clock;
		url?: string;
		model?: Partial<ModelDescription>;
		compaction?: ModelProvider["compaction"];
	} = {},
): Promise<Bench> {
	const model = await startScriptedModel({ responses });
	const dir = mkdtempSync(join(tmpdir(), "weave-loop-"));
	writeCodexHome(dir, options.url ?? model.url, options.toml);
	const clock = options.clock ?? systemClock;
	const reached = createCodexProvider(
		{
			home: createCodexHome(dir),
			env: {},
			clock: systemClock,
			identity: { name: "weave_codex", version: "0.0.0" },
			models: { models: () => CODEX_MODELS, noteEtag: () => undefined },
		},
		{ name: "codex", providerId: "scripted", model: "gpt-5.5" },
	);
	const asked: ModelRequest[] = [];
	const provider: ModelProvider = {
		...reached,
		compaction: options.compaction ?? "local",
		stream(request, signal) {
			asked.push(request);
			return reached.stream(request, signal);
		},
		describe: (id) => ({ ...reached.describe(id), autoCompactTokens: null, ...options.model }),
	};
	const events: LoopEvent[] = [];
	const heard = createEmitter<LoopEvent>();
	const arrivals = createEmitter<void>();
	const waiting: SteerMessage[] = [];
	const controller = new AbortController();
	let serial = 0;
	function newId(): string {
		serial += 1;
		return `id-${serial}`;
	}

	return {
		model,
		provider,
		events,
		asked,
		lines: () => events.map(lineOf).filter((line) => line !== "account/rateLimits/updated"),
		told(line) {
			if (events.some((event) => lineOf(event) === line)) return Promise.resolve();
			return new Promise((resolve) => {
				const subscription = heard.on((event) => {
					if (lineOf(event) !== line) return;
					subscription[Symbol.dispose]();
					resolve();
				});
			});
		},
		steer(text) {
			waiting.push({ clientId: `client-${text}`, text, itemId: newId() });
			arrivals.emit();
		},
		interrupt: () => controller.abort("stopped by the test"),
		run(text, { tools = [], input = {}, hooks = QUIET } = {}) {
			const ports: LoopPorts = {
				provider,
				tools,
				clock,
				newId,
				random: () => 0.5,
				emit(event) {
					events.push(event);
					heard.emit(event);
					return Promise.resolve();
				},
				toolContext: (callId) =>
					({
						callId,
						signal: controller.signal,
						items: { diff: () => undefined },
						environment: { readBytes: (path: string) => readFile(path) },
					}) as unknown as ToolContext,
				takeSteer: () => waiting.splice(0),
				onSteer: (listener) => arrivals.on(listener),
				hooks,
			};
			const turn: TurnInput = {
				threadId: "thread",
				turnId: "turn",
				model: null,
				cwd: dir,
				messages: [{ clientId: "client-1", text, itemId: newId() }],
				prelude: [],
				history: [],
				usageBefore: null,
				...input,
			};
			return runTurn(turn, ports, controller.signal);
		},
		inputOf: (request) => (model.requests[request]?.body as { input: ModelItem[] } | undefined)?.input ?? [],
		async [Symbol.asyncDispose]() {
			await model.close();
			rmSync(dir, { recursive: true, force: true });
		},
	};
}
