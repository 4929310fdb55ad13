import { createHash } from "node:crypto";
import { defineWrite, type Reader, type Tx } from "../store.ts";

/** Who did what; `detail` is JSON-safe (argv, or files with hashes before and after) and free of secrets. */
export interface AuditEntry {
	actor: string;
	client: string;
	machine_id: string;
	action: string;
	detail: unknown;
	decision?: string | null;
	decided_by?: string | null;
}

export interface AuditRow {
	audit_id: number;
	at_ms: number;
	actor: string;
	client: string;
	machine_id: string;
	action: string;
	/** JSON text. */
	detail: string;
	decision: string | null;
	decided_by: string | null;
	previous_hash: string;
	hash: string;
}

/** The first row's previous hash. */
const CHAIN_START = "0".repeat(64);

function hashOf(row: Omit<AuditRow, "audit_id" | "hash">): string {
	const parts = [
		row.previous_hash,
		row.at_ms,
		row.actor,
		row.client,
		row.machine_id,
		row.action,
		row.detail,
		row.decision,
		row.decided_by,
	];
	return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Adds a row whose hash covers the row before it; for use inside other commands' units. */
export function appendAudit(tx: Tx, entry: AuditEntry): void {
	const last = tx.get<{ hash: string }>("SELECT hash FROM audit ORDER BY audit_id DESC LIMIT 1");
	const row = {
		at_ms: tx.nowMs,
		actor: entry.actor,
		client: entry.client,
		machine_id: entry.machine_id,
		action: entry.action,
		detail: JSON.stringify(entry.detail ?? null),
		decision: entry.decision ?? null,
		decided_by: entry.decided_by ?? null,
		previous_hash: last?.hash ?? CHAIN_START,
	};
	tx.run(
		`INSERT INTO audit (at_ms, actor, client, machine_id, action, detail, decision, decided_by, previous_hash, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		row.at_ms,
		row.actor,
		row.client,
		row.machine_id,
		row.action,
		row.detail,
		row.decision,
		row.decided_by,
		row.previous_hash,
		hashOf(row),
	);
}

export const auditAppend = defineWrite("audit.append", (tx, entry: AuditEntry): void =>
	appendAudit(tx, entry),
);

/** Newest first. */
export function readAudit(reader: Reader, limit: number): AuditRow[] {
	return reader.all<AuditRow>("SELECT * FROM audit ORDER BY audit_id DESC LIMIT ?", limit);
}

/** The number given last, told by the table's own counter: rows cut off the end leave no other trace. */
function lastGiven(reader: Reader): number {
	return reader.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")?.seq ?? 0;
}

/** The id of the first row that does not fit its chain, or is missing; null when all do. Reads in pages, so memory stays small. */
export function verifyAudit(reader: Reader): number | null {
	let previous = CHAIN_START;
	let after = 0;
	for (;;) {
		const page = reader.all<AuditRow>(
			"SELECT * FROM audit WHERE audit_id > ? ORDER BY audit_id LIMIT 500",
			after,
		);
		if (page.length === 0) return after < lastGiven(reader) ? after + 1 : null;
		for (const row of page) {
			if (row.previous_hash !== previous || row.hash !== hashOf(row)) return row.audit_id;
			previous = row.hash;
			after = row.audit_id;
		}
	}
}
