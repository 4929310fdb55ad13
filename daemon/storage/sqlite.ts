import { DatabaseSync, type StatementSync } from "node:sqlite";
import { AppError } from "#base/app-error.ts";
import type { Reader, Row, SqlValue } from "./store.ts";

/** Primary result codes of SQLite that mean more than "failed" (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** SQLite's primary result code of a thrown error; undefined when it came from elsewhere. */
export function sqliteCode(thrown: unknown): number | undefined {
	if (!(thrown instanceof Error) || !("errcode" in thrown)) return undefined;
	return typeof thrown.errcode === "number" ? thrown.errcode & 0xff : undefined;
}

export function isBusy(thrown: unknown): boolean {
	return sqliteCode(thrown) === SQLITE_BUSY;
}

/** True when the file itself is not a sound database. */
export function isDamage(thrown: unknown): boolean {
	const code = sqliteCode(thrown);
	return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** True when this connection can no longer be trusted: the file is damaged or the disk fails. */
export function isFatal(thrown: unknown): boolean {
	return isDamage(thrown) || sqliteCode(thrown) === SQLITE_IOERR;
}

/** An AppError stays what it is; a full disk is STORAGE_FULL, damage STORAGE_CORRUPT, the rest STORAGE_FAILED with the cause kept. */
export function toStorageError(thrown: unknown): AppError {
	if (thrown instanceof AppError) return thrown;
	const systemCode = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
	if (sqliteCode(thrown) === SQLITE_FULL || systemCode === "ENOSPC" || systemCode === "EDQUOT") {
		return new AppError("STORAGE_FULL", undefined, { cause: thrown });
	}
	if (isDamage(thrown)) return new AppError("STORAGE_CORRUPT", undefined, { cause: thrown });
	if (sqliteCode(thrown) === SQLITE_CANTOPEN) {
		return new AppError("STORAGE_FAILED", "The database file cannot be opened.", { cause: thrown });
	}
	return new AppError("STORAGE_FAILED", undefined, { cause: thrown });
}

/** A connection that prepares each statement once; rows are plain objects, so that they compare and clone like any other. */
export interface Connection extends Reader {
	readonly database: DatabaseSync;
	run(sql: string, ...params: SqlValue[]): { changes: number };
	close(): void;
}

/** More distinct statements than the product has; a caller that builds SQL by hand cannot grow the cache without end. */
const STATEMENT_CACHE_MAX = 1000;

export function openConnection(path: string, options: { readOnly?: boolean } = {}): Connection {
	const database = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 5000 });
	const statements = new Map<string, StatementSync>();
	function prepare(sql: string): StatementSync {
		let statement = statements.get(sql);
		if (!statement) {
			statement = database.prepare(sql);
			if (statements.size >= STATEMENT_CACHE_MAX) statements.clear();
			statements.set(sql, statement);
		}
		return statement;
	}
	return {
		database,
		get<R = Row>(sql: string, ...params: SqlValue[]): R | undefined {
			const row = prepare(sql).get(...params);
			return row === undefined ? undefined : ({ ...row } as R);
		},
		all<R = Row>(sql: string, ...params: SqlValue[]): R[] {
			return prepare(sql)
				.all(...params)
				.map((row) => ({ ...row }) as R);
		},
		run(sql, ...params) {
			return { changes: Number(prepare(sql).run(...params).changes) };
		},
		close() {
			statements.clear();
			if (database.isOpen) database.close();
		},
	};
}
