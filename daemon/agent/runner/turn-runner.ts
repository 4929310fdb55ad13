import { AppError } from "#base/app-error.ts";
import { waitMs } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import type { LoopPorts, TurnInput, TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { Tool, ToolContext } from "#daemon/agent/tool.ts";
import { endTurnWrite } from "#daemon/storage/repository/chat-end.ts";
import { readHistory } from "#daemon/storage/repository/chat-history.ts";
import { readThreadEnv, requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { TurnError } from "#protocol/codex-item.ts";
import type { Approvals } from "./approvals.ts";
import type { RunnerDeps } from "./deps.ts";
import { repairHistory } from "./history-repair.ts";
import type { LiveTurn } from "./live-turn.ts";
import { readGitHead } from "./thread-folder.ts";

/** Between attempts to write the end of a turn on a full disk. */
const END_RETRY_MS = 1_000;

export interface TurnRunnerPorts {
	deps: RunnerDeps;
	approvals: Approvals;
	/** Digests a person accepted for the thread, while this daemon lives. */
	grants(threadId: string): Set<string>;
	/** Aborted when the daemon stops. */
	stopping: AbortSignal;
}

/** Runs a turn that is open in the store, from its loop's first word to its last tool call. */
export interface TurnRunner {
	/** Resolves with how it ended; never rejects. */
	run(live: LiveTurn): Promise<TurnOutcome>;
	/** Resolves once no tool call of the turn runs any more and its items are closed. */
	drained(live: LiveTurn): Promise<void>;
	/** Writes the end, unless another end came first. */
	finish(live: LiveTurn, outcome: TurnOutcome): Promise<void>;
}

function failureOf(error: unknown): TurnError {
	const message =
		error instanceof AppError ? error.message : "An internal error happened; see the daemon's log.";
	return { message, codexErrorInfo: "other", additionalDetails: null };
}

export function createTurnRunner({ deps, approvals, grants, stopping }: TurnRunnerPorts): TurnRunner {
	const { store, environment, fault, logger } = deps;
	const running = new WeakMap<LiveTurn, Set<Promise<unknown>>>();

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

	async function prepare(live: LiveTurn): Promise<{ input: TurnInput; ports: LoopPorts }> {
		const thread = requireThread(store, live.threadId);
		const [provider, prelude, head] = await Promise.all([
			deps.providers.resolve(thread.provider, thread.model),
			deps.prelude({
				threadId: thread.thread_id,
				cwd: thread.cwd,
				approvalPolicy: thread.approval_policy,
				sandbox: thread.sandbox,
			}),
			readGitHead(environment.readText, thread.cwd),
		]);
		if (head !== null) live.add({ step: "git_head_before", head });
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
		return { input, ports };
	}

	async function run(live: LiveTurn): Promise<TurnOutcome> {
		try {
			const { input, ports } = await prepare(live);
			live.signal.throwIfAborted();
			live.pullSteers();
			return await deps.runTurn(input, ports, live.signal);
		} catch (error) {
			if (live.signal.aborted) return { status: "interrupted", reason: String(live.signal.reason) };
			logger.error("a turn failed", { thread_id: live.threadId, turn_id: live.turnId, error: String(error) });
			const failure = failureOf(error);
			await live.emit({ type: "error", error: failure, willRetry: false });
			return { status: "failed", error: failure };
		}
	}

	async function writeEnd(live: LiveTurn, outcome: TurnOutcome, head: string | null): Promise<void> {
		const steps = live.takeSteps();
		const end = {
			thread_id: live.threadId,
			turn_id: live.turnId,
			status: outcome.status,
			reason:
				outcome.status === "interrupted"
					? outcome.reason
					: outcome.status === "failed"
						? outcome.error.message
						: null,
			error: outcome.status === "failed" ? outcome.error : null,
			final_text: outcome.status === "completed" ? outcome.finalText : null,
			git_head_after: head,
		};
		for (;;) {
			try {
				await store.write(endTurnWrite, { ...end, steps, start_next: !stopping.aborted });
				return;
			} catch (error) {
				if (!(error instanceof AppError) || error.code !== "STORAGE_FULL" || stopping.aborted) throw error;
				await waitMs(deps.clock, END_RETRY_MS, stopping);
			}
		}
	}

	return {
		run,
		async finish(live, outcome) {
			if (!live.end()) return;
			const thread = requireThread(store, live.threadId);
			// A turn that is cut short ends at once: its command may be in the middle of a commit anyway.
			const head =
				outcome.status === "interrupted" ? null : await readGitHead(environment.readText, thread.cwd);
			fault("turn.before-end");
			await writeEnd(live, outcome, head);
			fault("turn.after-end");
		},
		async drained(live) {
			const calls = running.get(live);
			while (calls !== undefined && calls.size > 0) {
				const stopped = createDeferred<void>();
				const onStop = (): void => stopped.resolve();
				stopping.addEventListener("abort", onStop, { once: true });
				if (stopping.aborted) onStop();
				await Promise.race([Promise.allSettled(calls), stopped.promise]);
				stopping.removeEventListener("abort", onStop);
				if (stopping.aborted) return live.flush();
			}
			await live.closeLeftovers(deps.clock.nowMs());
		},
	};
}
