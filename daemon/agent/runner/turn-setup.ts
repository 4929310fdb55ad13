import type { LoopPorts, TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { TurnRecording } from "#daemon/agent/recorder/port.ts";
import type { Tool, ToolContext } from "#daemon/agent/tool.ts";
import type { ToolSetRequest } from "#daemon/agent/tool-source.ts";
import { deferredNamespaces } from "#daemon/agent/tool-specs.ts";
import { readEpoch, readHistory } from "#daemon/storage/repository/chat-history.ts";
import { readThreadEnv, requireThread, type StoredThread } from "#daemon/storage/repository/chat-thread.ts";
import type { readTurnTask } from "#daemon/storage/repository/chat-turn.ts";
import type { Approvals } from "./approvals.ts";
import type { RunnerDeps } from "./deps.ts";
import { repairHistory } from "./history-repair.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { Questions } from "./questions.ts";
import { modelOf, modeOf, taskInput } from "./turn-input.ts";
import { createTurnRecordings } from "./turn-recording.ts";

type TurnTask = ReturnType<typeof readTurnTask>;

/** Gathers what the loop of one turn needs: the thread as it is now, its history, and ports bound to the turn. */
export interface TurnSetup {
	/** @throws AppError CONFIG_INVALID of the provider, errors of the store. */
	prepare(live: LiveTurn, task: TurnTask): Promise<{ input: TurnInput; ports: LoopPorts }>;
	/** What a call of the turn sees of the world. */
	contextOf(live: LiveTurn): (callId: string) => ToolContext;
	/** Something of the turn that may outlast it. */
	follow(live: LiveTurn, call: Promise<unknown>): void;
	/** Tool calls of the turn that run now. */
	calls(live: LiveTurn): ReadonlySet<Promise<unknown>>;
	/** Where the turn is written down, if anybody asked for it. */
	recording(live: LiveTurn): TurnRecording | undefined;
}

interface TurnSetupPorts {
	deps: RunnerDeps;
	approvals: Approvals;
	questions: Questions;
	grants(threadId: string): Set<string>;
}

function follow(call: Promise<unknown>, calls: Set<Promise<unknown>>): void {
	calls.add(call);
	const over = (): void => void calls.delete(call);
	call.then(over, over);
}

/** The loop does not wait for calls once it is interrupted; the runner has to know when the last one is over. */
function track(tools: readonly Tool[], calls: Set<Promise<unknown>>): Tool[] {
	return tools.map((tool) => ({
		...tool,
		execute(input, context) {
			const call = tool.execute(input, context);
			follow(call, calls);
			return call;
		},
	}));
}

/** What a turn of ours is offered and told; a turn that runs elsewhere gets both there. */
async function gather(
	deps: RunnerDeps,
	thread: StoredThread,
	{ mode, ...how }: Pick<ToolSetRequest, "kind" | "model" | "mode">,
): Promise<{ tools: readonly Tool[]; prelude: readonly ModelItem[] }> {
	const { settings, cwd, thread_id: threadId } = thread;
	if (deps.isEmbedded?.(settings) === false) return { tools: [], prelude: [] };
	const place = { threadId, cwd, settings, ...how };
	const { approval_policy: approvalPolicy, sandbox } = thread;
	const [tools, prelude] = await Promise.all([
		deps.tools({ ...place, mode }),
		deps.prelude({ ...place, approvalPolicy, sandbox }),
	]);
	return { tools, prelude: withDeferredTools(prelude, tools) };
}

/** The prelude with the names of the tools that have to be searched for, behind our other words to the model. */
function withDeferredTools(prelude: readonly ModelItem[], tools: readonly Tool[]): readonly ModelItem[] {
	const namespaces = deferredNamespaces(tools);
	const at = prelude.findLastIndex((item) => item["role"] === "developer");
	const item = prelude[at];
	if (namespaces.length === 0 || at < 1 || item === undefined) return prelude;
	const lines = namespaces.map(({ name, description }) => `- ${name}: ${description}`);
	const text = ["<tools>", "Deferred tool namespaces:", ...lines, "</tools>"].join("\n");
	const parts = Array.isArray(item["content"]) ? (item["content"] as ModelItem[]) : [];
	const longer = { ...item, content: [...parts, { type: "input_text", text }] };
	return prelude.with(at, longer);
}

export function createTurnSetup({ deps, approvals, questions, grants }: TurnSetupPorts): TurnSetup {
	const { store, environment } = deps;
	const running = new WeakMap<LiveTurn, Set<Promise<unknown>>>();
	const recordings = createTurnRecordings(deps);

	function callsOf(live: LiveTurn): Set<Promise<unknown>> {
		const known = running.get(live) ?? new Set<Promise<unknown>>();
		running.set(live, known);
		return known;
	}

	function contextOf(live: LiveTurn): (callId: string) => ToolContext {
		const thread = requireThread(store, live.threadId);
		const env = readThreadEnv(store, live.threadId);
		const turnBaseline = new Map<string, string | undefined>();
		return (callId) => ({
			threadId: live.threadId,
			turnId: live.turnId,
			callId,
			cwd: thread.cwd,
			env,
			approvalPolicy: thread.approval_policy,
			sandbox: thread.sandbox,
			environment,
			signal: live.signal,
			sessionGrants: grants(live.threadId),
			turnBaseline,
			items: live.items,
			effects: live.effects,
			requestApproval: (request) => approvals.ask(live, request),
			askClient: (question) => questions.ask(live, question),
			outlive: (until) => follow(until, callsOf(live)),
			settings: thread.settings,
			nowMs: deps.clock.nowMs,
		});
	}

	/** Beside the first request to the model, which must not wait for it. */
	async function noteHead(live: LiveTurn, cwd: string): Promise<void> {
		const head = await deps.gitHead(cwd);
		if (head !== null) live.add({ step: "git_head_before", head });
	}

	async function prepare(
		live: LiveTurn,
		{ kind, options }: TurnTask,
	): Promise<{ input: TurnInput; ports: LoopPorts }> {
		const thread = requireThread(store, live.threadId);
		const { settings, cwd, thread_id: threadId } = thread;
		live.holdEffects(noteHead(live, cwd));
		const mode = modeOf(settings);
		const named = modelOf(thread);
		const provider = await deps.providers.resolve(thread.provider, named, settings.config);
		const model = provider.describe(named);
		const { tools, prelude } = await gather(deps, thread, { kind, model, mode });
		const ports: LoopPorts = {
			provider,
			tools: track(tools, callsOf(live)),
			clock: deps.clock,
			newId: deps.newId,
			random: deps.random,
			emit: live.emit,
			toolContext: contextOf(live),
			takeSteer: live.takeSteer,
			takeAside: live.takeAside,
			onSteer: live.onSteer,
			hold: (work) => follow(work, callsOf(live)),
			hooks: deps.hooks,
		};
		const input: TurnInput = {
			...taskInput({ thread, kind, options, config: deps.loopSettings?.() ?? {} }),
			turnId: live.turnId,
			model: named ?? provider.defaultModel,
			messages: live.messages,
			prelude,
			history: repairHistory(readHistory(store, threadId)),
			usageBefore: thread.usage,
			windowNumber: readEpoch(store, threadId),
		};
		return { input, ports: recordings.tap(live, input, ports) };
	}

	return {
		prepare,
		contextOf,
		calls: callsOf,
		follow: (live, call) => follow(call, callsOf(live)),
		recording: recordings.of,
	};
}
