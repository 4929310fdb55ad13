import type { LoopPorts, TurnInput } from "#daemon/agent/loop-port.ts";
import type { TurnRecording } from "#daemon/agent/recorder/port.ts";
import type { Tool, ToolContext } from "#daemon/agent/tool.ts";
import { readHistory } from "#daemon/storage/repository/chat-history.ts";
import { readThreadEnv, requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Approvals } from "./approvals.ts";
import type { RunnerDeps } from "./deps.ts";
import { repairHistory } from "./history-repair.ts";
import type { LiveTurn } from "./live-turn.ts";
import { createTurnRecordings } from "./turn-recording.ts";

/** Gathers what the loop of one turn needs: the thread as it is now, its history, and ports bound to the turn. */
export interface TurnSetup {
	/** @throws AppError CONFIG_INVALID of the provider, errors of the store. */
	prepare(live: LiveTurn): Promise<{ input: TurnInput; ports: LoopPorts }>;
	/** Tool calls of the turn that run now. */
	calls(live: LiveTurn): ReadonlySet<Promise<unknown>>;
	/** Where the turn is written down, if anybody asked for it. */
	recording(live: LiveTurn): TurnRecording | undefined;
}

interface TurnSetupPorts {
	deps: RunnerDeps;
	approvals: Approvals;
	grants(threadId: string): Set<string>;
}

export function createTurnSetup({ deps, approvals, grants }: TurnSetupPorts): TurnSetup {
	const { store, environment } = deps;
	const running = new WeakMap<LiveTurn, Set<Promise<unknown>>>();
	const recordings = createTurnRecordings(deps);

	/** The loop does not wait for calls once it is interrupted; the runner has to know when the last one is over. */
	function tracked(live: LiveTurn): Tool[] {
		const calls = new Set<Promise<unknown>>();
		running.set(live, calls);
		return deps.tools.map((tool) => ({
			name: tool.name,
			spec: tool.spec,
			execute(input, context) {
				const call = tool.execute(input, context);
				calls.add(call);
				const over = (): void => void calls.delete(call);
				call.then(over, over);
				return call;
			},
		}));
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
			nowMs: deps.clock.nowMs,
		});
	}

	/** Beside the first request to the model, which must not wait for it. */
	async function noteHead(live: LiveTurn, cwd: string): Promise<void> {
		const head = await deps.gitHead(cwd);
		if (head !== null) live.add({ step: "git_head_before", head });
	}

	async function prepare(live: LiveTurn): Promise<{ input: TurnInput; ports: LoopPorts }> {
		const thread = requireThread(store, live.threadId);
		live.holdEffects(noteHead(live, thread.cwd));
		const [provider, prelude] = await Promise.all([
			deps.providers.resolve(thread.provider, thread.model),
			deps.prelude({
				threadId: thread.thread_id,
				cwd: thread.cwd,
				approvalPolicy: thread.approval_policy,
				sandbox: thread.sandbox,
			}),
		]);
		const ports: LoopPorts = {
			provider,
			tools: tracked(live),
			clock: deps.clock,
			newId: deps.newId,
			random: deps.random,
			emit: live.emit,
			toolContext: contextOf(live),
			takeSteer: live.takeSteer,
			onSteer: live.onSteer,
			hooks: deps.hooks,
		};
		const input: TurnInput = {
			threadId: thread.thread_id,
			turnId: live.turnId,
			cwd: thread.cwd,
			model: thread.model ?? provider.defaultModel,
			messages: live.messages,
			prelude,
			history: repairHistory(readHistory(store, thread.thread_id)),
			usageBefore: thread.usage,
		};
		return { input, ports: recordings.tap(live, input, ports) };
	}

	return {
		prepare,
		calls: (live) => running.get(live) ?? new Set(),
		recording: recordings.of,
	};
}
