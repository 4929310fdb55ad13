import { existsSync } from "node:fs";
import { openForReading } from "../inspect.ts";
import { verifyAudit } from "./audit.ts";

/** The audit chain as found on disk, with or without a daemon on it. */
export interface AuditInspection {
	rows: number;
	/** The first row that was changed, or is missing; null when the chain holds. */
	brokenAt: number | null;
}

/** Reads only. Undefined where there is no database, or one older than the chain. @throws a SQLite error when the file cannot be read. */
export function inspectAudit(path: string): AuditInspection | undefined {
	if (!existsSync(path)) return undefined;
	const connection = openForReading(path);
	try {
		const known = connection.get(
			"SELECT 1 AS one FROM sqlite_schema WHERE type = 'table' AND name = 'audit'",
		);
		if (known === undefined) return undefined;
		const rows = connection.get<{ n: number }>("SELECT count(*) AS n FROM audit")?.n ?? 0;
		return { rows, brokenAt: verifyAudit(connection) };
	} finally {
		connection.close();
	}
}
