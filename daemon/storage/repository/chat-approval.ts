import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import {
	type Approval,
	type ApprovalDecision,
	approvalSchema,
	approvalStatusSchema,
} from "#protocol/record.ts";
import { defineWrite, type Reader, type Row, type Tx } from "../store.ts";
import { auditApproval } from "./audit-chat.ts";
import { threadStream } from "./chat-thread.ts";

const COLUMNS = "approval_id, request, status, resolved_by, resolved_reason, resolved_at_ms";
const approvalRowSchema = z.object({
	approval_id: z.string(),
	request: z.string(),
	status: approvalStatusSchema,
	resolved_by: z.string().nullable(),
	resolved_reason: z.string().nullable(),
	resolved_at_ms: z.number().nullable(),
});

function toApproval(row: Row): Approval {
	const { request, ...state } = approvalRowSchema.parse(row);
	return approvalSchema.parse({ ...z.record(z.string(), z.unknown()).parse(JSON.parse(request)), ...state });
}

export function findApproval(reader: Reader, approvalId: string): Approval | undefined {
	const row = reader.get(`SELECT ${COLUMNS} FROM chat_approval WHERE approval_id = ?`, approvalId);
	return row === undefined ? undefined : toApproval(row);
}

/** First asked first. `all`: also those that were answered or expired. */
export function listApprovals(
	reader: Reader,
	options: { thread_id?: string | undefined; all: boolean },
): Approval[] {
	const status = options.all ? "" : "AND status = 'pending'";
	const rows =
		options.thread_id === undefined
			? reader.all(`SELECT ${COLUMNS} FROM chat_approval WHERE 1 ${status} ORDER BY approval_no`)
			: reader.all(
					`SELECT ${COLUMNS} FROM chat_approval WHERE thread_id = ? ${status} ORDER BY approval_no`,
					options.thread_id,
				);
	return rows.map(toApproval);
}

/** Every approval of a turn, first asked first. */
export function listTurnApprovals(reader: Reader, turnId: string): Approval[] {
	return reader
		.all(`SELECT ${COLUMNS} FROM chat_approval WHERE turn_id = ? ORDER BY approval_no`, turnId)
		.map(toApproval);
}

/** What is asked, as it will be shown; its status columns begin as pending. @throws AppError TURN_NOT_ACTIVE when the turn ended meanwhile. */
export const askApprovalWrite = defineWrite("chat.approval.ask", (tx, approval: Approval): Approval => {
	const turn = tx.get<{ status: string }>("SELECT status FROM chat_turn WHERE turn_id = ?", approval.turn_id);
	if (turn?.status !== "inProgress")
		throw new AppError("TURN_NOT_ACTIVE", "The turn has ended; nobody can answer any more.");
	const asked: Approval = { ...approval, status: "pending", requested_at_ms: tx.nowMs };
	tx.run(
		`INSERT INTO chat_approval (approval_id, thread_id, turn_id, machine_id, digest, request, status, requested_at_ms)
			VALUES (?, ?, ?, ?, ?, ?, 'pending', ?)`,
		asked.approval_id,
		asked.thread_id,
		asked.turn_id,
		asked.machine_id,
		asked.digest,
		JSON.stringify(asked),
		tx.nowMs,
	);
	tx.append(threadStream(asked.thread_id), "approval.required", {
		approval_id: asked.approval_id,
		turn_id: asked.turn_id,
		item_id: asked.item_id,
	});
	return asked;
});

const STATUS_OF: Readonly<Record<ApprovalDecision, Approval["status"]>> = {
	accept: "accepted",
	accept_for_session: "accepted",
	decline: "declined",
	cancel: "cancelled",
};

function assertAnswerable(approval: Approval): void {
	if (approval.status === "pending") return;
	if (approval.status === "expired") {
		throw new AppError(
			"APPROVAL_EXPIRED",
			`This approval has expired: ${approval.resolved_reason ?? "its turn ended"}.`,
			{
				data: { approval_id: approval.approval_id, reason: approval.resolved_reason },
			},
		);
	}
	throw new AppError(
		"APPROVAL_ALREADY_RESOLVED",
		`Already ${approval.status} by ${approval.resolved_by ?? "someone"}.`,
		{
			data: { approval_id: approval.approval_id, status: approval.status, resolved_by: approval.resolved_by },
		},
	);
}

interface Answer {
	approval_id: string;
	decision: ApprovalDecision;
	digest: string;
	confirm: string | null;
	/** With accept: what is allowed from now on. */
	allow_prefix?: readonly string[] | null;
	resolved_by: string;
}

/** Only what was proposed, or a part of it that says less, can be allowed for good: nobody was shown anything else. */
function assertPrefixFits(approval: Approval, answer: Answer): void {
	const prefix = answer.allow_prefix ?? null;
	if (prefix === null) return;
	const proposed = approval.proposed_prefix ?? [];
	const fits =
		answer.decision === "accept" &&
		prefix.length === proposed.length &&
		prefix.every((word, at) => word === proposed[at]);
	if (!fits) throw new AppError("INVALID_PARAMS", "Only the prefix that was proposed can be allowed.");
}

function assertAnswerFits(approval: Approval, answer: Answer): void {
	assertPrefixFits(approval, answer);
	if (answer.digest !== approval.digest)
		throw new AppError("APPROVAL_DIGEST_MISMATCH", undefined, { data: { digest: approval.digest } });
	const accepts = answer.decision === "accept" || answer.decision === "accept_for_session";
	if (!accepts || approval.confirm_word === null || answer.confirm === approval.confirm_word) return;
	throw new AppError(
		"INVALID_PARAMS",
		`This is ${approval.destructive ?? "destructive"}; confirm it with the word ${approval.confirm_word}.`,
		{
			data: { confirm_word: approval.confirm_word },
		},
	);
}

function resolve(
	tx: Tx,
	approval: Approval,
	end: { status: Approval["status"]; decision: string | null; by: string | null; reason: string | null },
): void {
	tx.run(
		"UPDATE chat_approval SET status = ?, decision = ?, resolved_by = ?, resolved_reason = ?, resolved_at_ms = ? WHERE approval_id = ? AND status = 'pending'",
		end.status,
		end.decision,
		end.by,
		end.reason,
		tx.nowMs,
		approval.approval_id,
	);
	tx.append(threadStream(approval.thread_id), "approval.resolved", {
		approval_id: approval.approval_id,
		turn_id: approval.turn_id,
		item_id: approval.item_id,
		...end,
	});
	const { by, reason } = end;
	auditApproval(tx, approval, { decision: end.decision ?? end.status, by, reason });
}

/**
 * The first valid answer wins; it is compared and set in this unit.
 * @throws AppError APPROVAL_NOT_FOUND, APPROVAL_ALREADY_RESOLVED naming who, APPROVAL_EXPIRED, APPROVAL_DIGEST_MISMATCH,
 * INVALID_PARAMS when the explicit word is missing.
 */
export const answerApprovalWrite = defineWrite(
	"chat.approval.answer",
	(tx, answer: Answer): { approval: Approval } => {
		const approval = findApproval(tx, answer.approval_id);
		if (approval === undefined)
			throw new AppError("APPROVAL_NOT_FOUND", `There is no approval ${answer.approval_id}.`);
		assertAnswerable(approval);
		assertAnswerFits(approval, answer);
		const end = {
			status: STATUS_OF[answer.decision],
			decision: answer.decision,
			by: answer.resolved_by,
			reason: null,
		};
		resolve(tx, approval, end);
		return { approval: findApproval(tx, answer.approval_id) ?? approval };
	},
);

/** The time to answer is over. False when it was answered before. */
export const expireApprovalWrite = defineWrite(
	"chat.approval.expire",
	(tx, input: { approval_id: string; reason: string }): boolean => {
		const approval = findApproval(tx, input.approval_id);
		if (approval?.status !== "pending") return false;
		resolve(tx, approval, { status: "expired", decision: null, by: null, reason: input.reason });
		return true;
	},
);

/** Nobody may answer what a turn asked once it has ended. */
export function expireApprovals(tx: Tx, turnId: string, reason: string): void {
	for (const approval of listTurnApprovals(tx, turnId)) {
		if (approval.status === "pending")
			resolve(tx, approval, { status: "expired", decision: null, by: null, reason });
	}
}
