import type { CodexRunner, RunnerCall } from "#daemon/agent/runner/runner.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import type { Approval, ApprovalDecision, Question } from "#protocol/record.ts";
import type { Peer } from "../connection.ts";
import type { Desk } from "../thread/desk.ts";
import type { LiveThread, WaitFlag } from "../thread/live-thread.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";

interface Answer {
	decision: ApprovalDecision;
	allowPrefix?: string[];
	/** Nobody decided: an error, or an answer that nobody understands. */
	failed?: true;
}

const FAILED: Answer = { decision: "decline", failed: true };

const DECISIONS: Readonly<Record<string, ApprovalDecision>> = {
	accept: "accept",
	acceptForSession: "accept_for_session",
	decline: "decline",
	cancel: "cancel",
};

function readPrefix(value: unknown): string[] | undefined {
	const amendment = isObject(value) ? value["execpolicy_amendment"] : undefined;
	if (!Array.isArray(amendment) || amendment.length === 0) return undefined;
	return amendment.every((word) => typeof word === "string") ? amendment : undefined;
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
	one.length === other.length && one.every((word, at) => word === other[at]);

const understood = (decision: ApprovalDecision | undefined): Answer =>
	decision === undefined ? FAILED : { decision };

/** What a client decided; one with another prefix than `proposed` declines, as do the answers that nobody understands, and errors. */
export function readDecision(result: unknown, proposed: readonly string[] | null = null): Answer {
	const decision = isObject(result) ? result["decision"] : undefined;
	if (typeof decision === "string")
		return understood(Object.hasOwn(DECISIONS, decision) ? DECISIONS[decision] : undefined);
	if (!isObject(decision)) return FAILED;
	const allowPrefix = readPrefix(decision["acceptWithExecpolicyAmendment"]);
	return allowPrefix === undefined || proposed === null || !isSame(allowPrefix, proposed)
		? { decision: "decline" }
		: { decision: "accept", allowPrefix };
}

function commandParams(approval: Approval, startedAtMs: number): JsonObject {
	const prefix = approval.proposed_prefix ?? null;
	const amendment = { execpolicy_amendment: prefix };
	return {
		kind: "command",
		threadId: approval.thread_id,
		turnId: approval.turn_id,
		itemId: approval.item_id,
		startedAtMs,
		environmentId: "local",
		...(approval.reason === null ? {} : { reason: approval.reason }),
		command: approval.command,
		cwd: approval.cwd,
		commandActions: approval.actions ?? [],
		...(prefix === null ? {} : { proposedExecpolicyAmendment: prefix }),
		availableDecisions: [
			"accept",
			...(prefix === null ? [] : [{ acceptWithExecpolicyAmendment: amendment }]),
			"cancel",
		],
	};
}

function patchParams(approval: Approval, startedAtMs: number): JsonObject {
	const { thread_id, turn_id, item_id, reason } = approval;
	const place = { threadId: thread_id, turnId: turn_id, itemId: item_id };
	return { ...place, startedAtMs, reason, grantRoot: null };
}

/** How each kind of question goes out: its method, and what the thread's status says meanwhile. */
const QUESTIONS: Readonly<Record<Question["kind"], { method: string; flag: WaitFlag | null }>> = {
	user_input: { method: "item/tool/requestUserInput", flag: "waitingOnUserInput" },
	tool_call: { method: "item/tool/call", flag: null },
	elicitation: { method: "mcpServer/elicitation/request", flag: "waitingOnApproval" },
};

export const callOf = (peer: Pick<Peer, "connectionId" | "client">): RunnerCall => ({
	label: peer.client.title ?? peer.client.name,
	clientId: peer.connectionId,
	idempotency: undefined,
});

/** Puts what a turn waits for to the clients of the protocol, and their answers to the runner. */
export interface ServerRequests {
	askApproval(live: LiveThread, approval: Approval, startedAtMs: number): void;
	askQuestion(live: LiveThread, question: Question): void;
	flagOf(question: Question): WaitFlag | null;
}

export function createServerRequests(ports: {
	desk: Desk;
	runner: CodexRunner;
	logger: Logger;
}): ServerRequests {
	const { desk, runner, logger } = ports;

	/** Somebody else's answer came first, or the turn is over: the news say so, there is nobody to tell here. */
	function ignoreRefusal(what: string, work: Promise<unknown>): void {
		work.catch((error: unknown) => logger.info(`${what} was not taken`, { error: String(error) }));
	}

	function respond(approval: Approval, result: unknown, peer: Peer): void {
		const { decision, allowPrefix, failed } = readDecision(result, approval.proposed_prefix);
		const accepts = decision === "accept" || decision === "accept_for_session";
		// The protocol has no explicit word: whoever accepts there says it by accepting.
		const word = accepts && approval.confirm_word !== null ? { confirm: approval.confirm_word } : {};
		const params = {
			...{ approval_id: approval.approval_id, decision, digest: approval.digest },
			...word,
			...(allowPrefix === undefined ? {} : { allow_prefix: allowPrefix }),
			...(failed === undefined ? {} : { failed }),
		};
		ignoreRefusal("an answer to an approval", runner.respondApproval(params, callOf(peer)));
	}

	return {
		flagOf: (question) => QUESTIONS[question.kind].flag,
		askApproval(live, approval, startedAtMs) {
			const isCommand = approval.kind === "command";
			desk.ask(live, approval.approval_id, {
				method: isCommand ? "item/commandExecution/requestApproval" : "item/fileChange/requestApproval",
				params: isCommand ? commandParams(approval, startedAtMs) : patchParams(approval, startedAtMs),
				quietToAnswerer: false,
				answer: (result, _error, peer) => respond(approval, result, peer),
			});
		},
		askQuestion(live, question) {
			const { question_id, kind, params } = question;
			desk.ask(live, question_id, {
				method: QUESTIONS[kind].method,
				params,
				quietToAnswerer: kind === "tool_call",
				answer(result, error, peer) {
					const said = error === null ? { result } : { error };
					const work = runner.respondQuestion({ question_id, ...said }, callOf(peer));
					ignoreRefusal("an answer to a question", work);
				},
			});
		},
	};
}
