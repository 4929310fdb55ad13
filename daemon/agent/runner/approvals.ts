import { createDeferred, type Deferred } from "#base/deferred.ts";
import type { ApprovalOutcome, ApprovalRequest } from "#daemon/agent/tool.ts";
import {
	answerApprovalWrite,
	askApprovalWrite,
	expireApprovalWrite,
	findApproval,
} from "#daemon/storage/repository/chat-approval.ts";
import { requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Approval } from "#protocol/record.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { ApprovalAnswer, RunnerCall } from "./runner.ts";

/** Questions that tools wait for. They belong to the store and the runner, never to a client. */
export interface Approvals {
	/** Asks and waits; rejects with the reason of the turn's signal. */
	ask(live: LiveTurn, request: ApprovalRequest): Promise<ApprovalOutcome>;
	/** @throws AppError as the method's descriptor says. */
	respond(params: ApprovalAnswer, call: RunnerCall): Promise<{ approval: Approval }>;
	/** Tells everyone of what the end of this turn expired. */
	announceExpired(turnId: string): void;
}

interface ApprovalsPorts {
	deps: RunnerDeps;
	announce(type: "chat.approval.required" | "chat.approval.resolved", approval: Approval): void;
}

interface Waiting {
	readonly turnId: string;
	readonly answer: Deferred<ApprovalOutcome>;
}

function toRecord(deps: RunnerDeps, live: LiveTurn, request: ApprovalRequest): Approval {
	const { itemId, confirmWord, argv, changes, proposedPrefix = null, actions, ...same } = request;
	return {
		...same,
		proposed_prefix: proposedPrefix === null ? null : [...proposedPrefix],
		...(actions === undefined ? {} : { actions: actions.map((action) => ({ ...action })) }),
		argv: argv === null ? null : [...argv],
		changes: changes === null ? null : changes.map((change) => ({ ...change })),
		approval_id: deps.newId(),
		thread_id: live.threadId,
		turn_id: live.turnId,
		item_id: itemId,
		agent_name: requireThread(deps.store, live.threadId).agent_name,
		machine_id: deps.environment.machineId,
		confirm_word: confirmWord,
		status: "pending",
		resolved_by: null,
		resolved_reason: null,
		requested_at_ms: deps.clock.nowMs(),
		resolved_at_ms: null,
	};
}

export function createApprovals({ deps, announce }: ApprovalsPorts): Approvals {
	const { store, fault } = deps;
	const waiting = new Map<string, Waiting>();

	/** Where the daemon sets a limit: whoever comes after it finds the approval expired. */
	async function expire(approvalId: string): Promise<void> {
		const input = { approval_id: approvalId, reason: "nobody answered in time" };
		if (!(await store.write(expireApprovalWrite, input))) return;
		tellExpired(approvalId);
	}

	function expiryOf(approvalId: string): Disposable | undefined {
		if (deps.approvalExpiryMs === undefined) return undefined;
		return deps.clock.after(deps.approvalExpiryMs, () => {
			expire(approvalId).catch((error: unknown) =>
				deps.logger.error("an approval did not expire", { error: String(error) }),
			);
		});
	}

	function tellExpired(approvalId: string): void {
		const entry = waiting.get(approvalId);
		if (entry === undefined) return;
		waiting.delete(approvalId);
		const approval = findApproval(store, approvalId);
		if (approval !== undefined && approval.status !== "pending") announce("chat.approval.resolved", approval);
		entry.answer.resolve({ decision: "expired", resolvedBy: null });
	}

	return {
		async ask(live, request) {
			live.signal.throwIfAborted();
			const record = toRecord(deps, live, request);
			const answer = createDeferred<ApprovalOutcome>();
			const onAbort = (): void => answer.reject(live.signal.reason);
			waiting.set(record.approval_id, { turnId: live.turnId, answer });
			live.signal.addEventListener("abort", onAbort, { once: true });
			try {
				// What led to the question is saved before it, in the same group.
				const saved = live.flush();
				const asked = await store.write(askApprovalWrite, record);
				await saved;
				announce("chat.approval.required", asked);
				using _expiry = expiryOf(record.approval_id);
				return await answer.promise;
			} catch (error) {
				live.signal.throwIfAborted();
				throw error;
			} finally {
				live.signal.removeEventListener("abort", onAbort);
				// An aborted one stays until its expiry was told.
				if (!live.signal.aborted) waiting.delete(record.approval_id);
			}
		},
		async respond({ approval_id, decision, digest, confirm, allow_prefix, failed = false }, call) {
			fault("approval.before-commit");
			const answer = { confirm: confirm ?? null, allow_prefix: allow_prefix ?? null };
			const input = { approval_id, decision, digest, ...answer, resolved_by: call.label };
			const result = await store.write(answerApprovalWrite, input, { idempotency: call.idempotency });
			fault("approval.after-commit");
			const entry = waiting.get(approval_id);
			waiting.delete(approval_id);
			if (entry) {
				announce("chat.approval.resolved", result.approval);
				const allowPrefix = answer.allow_prefix;
				entry.answer.resolve({ decision, allowPrefix, failed, resolvedBy: result.approval.resolved_by });
			}
			return result;
		},
		announceExpired(turnId) {
			for (const [approvalId, entry] of [...waiting]) if (entry.turnId === turnId) tellExpired(approvalId);
		},
	};
}
