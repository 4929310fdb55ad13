import { createHash } from "node:crypto";
import { redactText } from "#daemon/telemetry/redact.ts";
import type { Approval } from "#protocol/record.ts";
import type { Reader, Tx } from "../store.ts";
import { appendAudit } from "./audit.ts";

/** What is done to the world. `call`: of a tool that others run, an MCP server's or a client's. */
export const EFFECT_KINDS = ["command", "patch", "call"] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

/** What an approval came to: the person's words, or that nobody may answer any more. */
export interface ApprovalEnd {
	decision: string;
	by: string | null;
	reason: string | null;
}

interface EffectAbout {
	thread_id: string;
	turn_id: string;
	item_id: string;
	kind: EffectKind;
}

/** The agent that acts, and the client on whose word its turn runs: who sent the first message, else who made the thread. */
function whoOf(reader: Reader, turn: { thread_id: string; turn_id: string }) {
	const row = reader.get<{ machine_id: string; agent_name: string; client: string | null }>(
		`SELECT t.machine_id, t.agent_name, coalesce(
				(SELECT coalesce(m.client, '#' || m.from_name) FROM chat_message m WHERE m.turn_id = ? ORDER BY m.message_no LIMIT 1),
				json_extract(t.controller, '$.client')) AS client
			FROM chat_thread t WHERE t.thread_id = ?`,
		turn.turn_id,
		turn.thread_id,
	);
	return {
		actor: `#${row?.agent_name ?? turn.thread_id}`,
		client: row?.client ?? "unknown",
		machine_id: row?.machine_id ?? "unknown",
	};
}

/** Shown without secrets and cut where it is long; the hash is over what ran. */
function argvDetail(argv: readonly string[]): Record<string, unknown> {
	const sha256 = createHash("sha256").update(JSON.stringify(argv)).digest("hex");
	return { argv: argv.map(redactText), argv_sha256: sha256 };
}

function isArgv(value: unknown): value is readonly string[] {
	return Array.isArray(value) && value.every((word) => typeof word === "string");
}

/** In the unit that ends the approval. */
export function auditApproval(tx: Tx, approval: Approval, end: ApprovalEnd): void {
	const { approval_id, thread_id, turn_id, item_id, cwd, sandbox, destructive, digest } = approval;
	appendAudit(tx, {
		...whoOf(tx, approval),
		action: `approval.${approval.kind}`,
		detail: {
			...{ approval_id, thread_id, turn_id, item_id, cwd, sandbox, destructive, digest },
			...(approval.argv === null ? {} : argvDetail(approval.argv)),
			...(approval.changes === null ? {} : { files: approval.changes.map(({ path }) => ({ path })) }),
			...(end.reason === null ? {} : { reason: end.reason }),
		},
		decision: end.decision,
		decided_by: end.by,
	});
}

/** Who let an item act: the person that accepted it, else the policy. */
function permitOf(reader: Reader, effect: EffectAbout): { decision: string; decided_by: string } {
	const row = reader.get<{ decision: string | null; resolved_by: string | null }>(
		`SELECT decision, resolved_by FROM chat_approval
			WHERE turn_id = ? AND json_extract(request, '$.item_id') = ? AND status = 'accepted' ORDER BY approval_no DESC LIMIT 1`,
		effect.turn_id,
		effect.item_id,
	);
	return { decision: row?.decision ?? "allowed", decided_by: row?.resolved_by ?? "policy" };
}

/** In the unit that commits the intent: nothing is done that was not written here first. Patches bring their files' hashes. */
export function auditIntended(
	tx: Tx,
	effect: EffectAbout & { effect_no: number; detail: Readonly<Record<string, unknown>> },
): void {
	const { thread_id, turn_id, item_id, effect_no, detail } = effect;
	const { argv, ...rest } = detail;
	appendAudit(tx, {
		...whoOf(tx, effect),
		action: `${effect.kind}.intended`,
		detail: { effect_no, thread_id, turn_id, item_id, ...rest, ...(isArgv(argv) ? argvDetail(argv) : {}) },
		...permitOf(tx, effect),
	});
}

/** In the unit that writes the end down; `unknown` when a crash hid it. The row of the intent has the rest, by `effect_no`. */
export function auditEnded(
	tx: Tx,
	effect: EffectAbout & {
		effect_no: number;
		state: "done" | "unknown";
		outcome: Readonly<Record<string, unknown>>;
	},
): void {
	const { thread_id, turn_id, item_id, effect_no, outcome } = effect;
	appendAudit(tx, {
		...whoOf(tx, effect),
		action: `${effect.kind}.${effect.state}`,
		detail: { effect_no, thread_id, turn_id, item_id, outcome },
		...permitOf(tx, effect),
	});
}
