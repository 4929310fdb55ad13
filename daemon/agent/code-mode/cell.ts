import type { NewId } from "#base/id.ts";
import type { ToolContext, ToolResult } from "#daemon/agent/tool.ts";
import { type NestedTool, nestedContext, nestedInput, nestedOutcome } from "./nested.ts";
import type { ScriptWorker, WorkerPool } from "./worker-pool.ts";
import type { CellPart, FromWorker, SandboxLimits } from "./worker-protocol.ts";

export type CellState = "running" | "completed" | "failed" | "terminated";

/** One script from its start to its end, over as many `wait`s as it takes. */
export interface Cell {
	readonly id: string;
	readonly state: CellState;
	/** Set when a person's answer to a call of the script stops the turn. */
	readonly stopTurn: ToolResult | null;
	/** Takes what was output since the last time. */
	take(): { parts: CellPart[]; notifications: string[] };
	/** Resolves when there is something to report: its end, `yield_control()`, a stopped turn. */
	reportable(): Promise<void>;
	/** Ends the script whatever it does; what its calls started goes on as after an interrupt. */
	end(): void;
}

export interface CellPorts {
	readonly pool: WorkerPool;
	readonly newId: NewId;
	readonly limits: SandboxLimits;
	/** Values that scripts of the thread keep, as JSON. */
	readonly stored: Map<string, string>;
	/** Resolves with the context of a running `exec` or `wait`: calls belong to a turn. */
	attached(): Promise<ToolContext>;
}

interface CellStart {
	readonly id: string;
	readonly source: string;
	readonly tools: readonly NestedTool[];
}

type Call = Extract<FromWorker, { kind: "call" }>;

/** Calls of one script that run at once; each may be a process. The others wait for their turn. */
const PARALLEL_MAX = 32;

/** @throws Error whose message the script gets, when the call is refused before the tool sees it. */
async function performCall(tool: NestedTool | undefined, { tool: name, input }: Call, ports: CellPorts) {
	if (tool === undefined) throw new Error(`unknown tool: ${name}`);
	const given = nestedInput(tool, input);
	if ("wrong" in given) throw new Error(given.wrong);
	const context = nestedContext(await ports.attached(), `exec-${ports.newId()}`);
	const result = await tool.tool.execute(given.input, context);
	return { result, outcome: nestedOutcome(tool, result) };
}

/** Runs work in order, some of it at once; what waits when the script is over never begins. */
function createLane(goesOn: () => boolean): (work: () => Promise<void>) => void {
	const queue: (() => Promise<void>)[] = [];
	let busy = 0;

	async function run(work: () => Promise<void>): Promise<void> {
		busy += 1;
		await work();
		busy -= 1;
		const next = goesOn() ? queue.shift() : undefined;
		if (next !== undefined) void run(next);
	}

	return (work) => {
		if (busy < PARALLEL_MAX) void run(work);
		else queue.push(work);
	};
}

export function startCell({ id, source, tools }: CellStart, ports: CellPorts): Cell {
	const byName = new Map(tools.map((tool) => [tool.name, tool]));
	let state: CellState = "running";
	let stopTurn: ToolResult | null = null;
	let yielded = false;
	let parts: CellPart[] = [];
	let notifications: string[] = [];
	const waiting = new Set<() => void>();
	const enqueue = createLane(() => state === "running");

	function report(): void {
		for (const wake of [...waiting]) wake();
		waiting.clear();
	}

	function over(next: CellState, error: string | null): void {
		if (state !== "running") return;
		state = next;
		if (error !== null) parts.push({ type: "text", text: `Script error:\n${error}` });
		report();
	}

	function settle(callId: number, outcome: { ok: boolean; value: string }): void {
		if (state === "running") worker.send({ kind: "settle", callId, ...outcome });
	}

	async function call(message: Call): Promise<void> {
		try {
			const done = await performCall(byName.get(message.tool), message, ports);
			if (done.result.stopTurn && state === "running") {
				stopTurn = done.result;
				end();
			} else settle(message.callId, done.outcome);
		} catch (error) {
			const value = error instanceof Error ? error.message : String(error);
			settle(message.callId, { ok: false, value });
		}
	}

	function hear(message: FromWorker): void {
		switch (message.kind) {
			case "output":
				parts.push(message.part);
				return;
			case "notify":
				notifications.push(message.text);
				return;
			case "store":
				ports.stored.set(message.key, message.json);
				return;
			case "yield":
				yielded = true;
				report();
				return;
			case "call":
				enqueue(() => call(message));
				return;
			case "done":
				over(message.error === null ? "completed" : "failed", message.error);
				return;
			case "idle":
				return;
		}
	}

	function end(): void {
		worker.end();
		over("terminated", null);
	}

	const worker: ScriptWorker = ports.pool.acquire(hear, (reason) => over("failed", reason));
	worker.send({
		kind: "run",
		source,
		tools: tools.map(({ name, description }) => ({ name, description })),
		stored: Object.fromEntries(ports.stored),
		limits: ports.limits,
	});

	return {
		id,
		get state() {
			return state;
		},
		get stopTurn() {
			return stopTurn;
		},
		take() {
			const taken = { parts, notifications };
			parts = [];
			notifications = [];
			return taken;
		},
		reportable() {
			if (state !== "running" || yielded) {
				yielded = false;
				return Promise.resolve();
			}
			return new Promise((resolve) => {
				waiting.add(() => {
					yielded = false;
					resolve();
				});
			});
		},
		end,
	};
}
