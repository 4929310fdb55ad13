import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import { ERROR_TABLE } from "#base/error-table.ts";
import { newId } from "#base/id.ts";
import type { DaemonClient } from "#client/client.ts";
import type { Approval, Turn } from "#protocol/record.ts";
import type { CliContext } from "../descriptor.ts";
import { followTurn, type TurnListener } from "./chat-follow.ts";

/** Exit code where an approval was not given in time (contracts.md 1). */
const EXIT_NOT_APPROVED = 77;
const EXIT_INTERRUPTED = 130;
/** How long a cancel may take when the person has pressed Ctrl+C already. */
const CANCEL_TIMEOUT_MS = 5_000;

interface TurnRequest {
	threadId: string;
	text: string;
	whenBusy: "steer" | "queue";
	/** Seconds to wait for an approval: 0 not at all, undefined for ever. */
	approvalTimeoutS?: number | undefined;
}

function tellApproval(context: CliContext, approval: Approval): void {
	const what =
		approval.kind === "command"
			? approval.command
			: approval.changes?.map((change) => change.path).join(", ");
	const reason = approval.reason === null ? "" : ` (${approval.reason})`;
	const word = approval.confirm_word === null ? "" : ` --confirm ${approval.confirm_word}`;
	context.say(`Approval needed: ${approval.kind} in ${approval.cwd}: ${what ?? ""}${reason}`);
	context.say(`  weave-codex chat approve ${approval.approval_id}${word}`);
	context.say(`  weave-codex chat decline ${approval.approval_id}`);
}

/** Ends the wait for an approval that comes too late. */
interface ApprovalWatch extends Disposable {
	asked(approval: Approval): void;
	answered(approval: Approval): void;
	readonly gaveUp: boolean;
}

function createApprovalWatch(
	context: CliContext,
	timeoutS: number | undefined,
	giveUp: () => void,
): ApprovalWatch {
	const timers = new Map<string, NodeJS.Timeout>();
	let gaveUp = false;
	function tooLate(): void {
		gaveUp = true;
		context.say("No approval in time; the turn is cancelled.");
		giveUp();
	}
	return {
		asked(approval) {
			tellApproval(context, approval);
			if (timeoutS === 0) tooLate();
			else if (timeoutS !== undefined) timers.set(approval.approval_id, setTimeout(tooLate, timeoutS * 1000));
		},
		answered(approval) {
			clearTimeout(timers.get(approval.approval_id));
			timers.delete(approval.approval_id);
			context.say(
				`Approval ${approval.status}${approval.resolved_by === null ? "" : ` by ${approval.resolved_by}`}.`,
			);
		},
		get gaveUp() {
			return gaveUp;
		},
		[Symbol.dispose]() {
			for (const timer of timers.values()) clearTimeout(timer);
		},
	};
}

function exitOf(context: CliContext, turn: Turn, gaveUp: boolean): number {
	if (gaveUp) return EXIT_NOT_APPROVED;
	if (turn.status === "completed") return 0;
	context.say(
		turn.status === "failed"
			? `Failed: ${turn.error?.message ?? turn.reason ?? "unknown"}`
			: `Interrupted: ${turn.reason ?? ""}`,
	);
	if (turn.status !== "failed") return EXIT_INTERRUPTED;
	const isBudget = turn.error?.additionalDetails?.startsWith("BUDGET_EXCEEDED") === true;
	return isBudget ? ERROR_TABLE.BUDGET_EXCEEDED.exit : 1;
}

/** Not cut off by Ctrl+C at once: what is on its way is stored or not, and only its answer names what to cancel. */
async function answerOf<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
	const late = createDeferred<never>();
	let timer: NodeJS.Timeout | undefined;
	function onAbort(): void {
		timer = setTimeout(() => late.reject(signal.reason), CANCEL_TIMEOUT_MS);
	}
	signal.addEventListener("abort", onAbort, { once: true });
	try {
		return await Promise.race([sending, late.promise]);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", onAbort);
	}
}

/**
 * Sends one message and follows its turn to the end: text to stdout (with --json the events), talk to stderr. Resolves
 * with the exit code of contracts.md section 1. Ctrl+C interrupts the turn first.
 */
export async function runChatTurn(
	context: CliContext,
	client: DaemonClient,
	request: TurnRequest,
): Promise<number> {
	const { threadId } = request;
	let turnId: string | undefined;
	/** Ends our turn, or takes our message back while it waits for one; never anybody else's turn. */
	async function cancel(): Promise<void> {
		if (turnId === undefined) return;
		const params = { thread_id: threadId, turn_id: turnId };
		try {
			await client.call("chat.cancel", params, { timeoutMs: CANCEL_TIMEOUT_MS });
		} catch (error) {
			if (!(error instanceof AppError) || error.code !== "TURN_NOT_ACTIVE") throw error;
		}
	}
	using watch = createApprovalWatch(context, request.approvalTimeoutS, () => {
		cancel().catch((error: unknown) => context.say(`The turn could not be cancelled: ${String(error)}`));
	});
	const listener: TurnListener = {
		onApproval: watch.asked,
		onApprovalResolved: watch.answered,
		...(context.json
			? { onEvent: (event) => context.print(event) }
			: {
					// Only an answer is data; what is said on the way there is talk.
					onMessage: (text, phase) =>
						phase === "commentary" ? context.say(text) : context.print(null, text),
					onCommand: (command) => context.say(`$ ${command}`),
				}),
	};
	using follower = followTurn(client, threadId, listener, context.signal);
	try {
		await follower.ready;
		context.signal.throwIfAborted();
		const params = {
			...{ thread_id: threadId, text: request.text, client_message_id: newId() },
			when_busy: request.whenBusy,
		};
		const sent = await answerOf(client.call("chat.message.send", params), context.signal);
		turnId = sent.turn_id;
		follower.follow(turnId);
		return exitOf(context, await follower.ended, watch.gaveUp);
	} catch (error) {
		if (context.signal.aborted && turnId !== undefined) await cancel();
		throw error;
	}
}

/** Sends without waiting for the answer. */
export async function sendOnly(
	context: CliContext,
	client: DaemonClient,
	request: TurnRequest,
): Promise<number> {
	const params = {
		thread_id: request.threadId,
		text: request.text,
		client_message_id: newId(),
		when_busy: request.whenBusy,
	};
	const sent = await client.call("chat.message.send", params, { signal: context.signal });
	context.print(sent, `${sent.delivery}: turn ${sent.turn_id}`);
	return 0;
}
