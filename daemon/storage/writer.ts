import { inspect } from "node:util";
import { AppError } from "#base/app-error.ts";
import type { FaultPoint } from "#daemon/telemetry/port.ts";
import { IDEMPOTENCY_TTL_MS } from "#protocol/limits.ts";
import { findCallResult } from "./repository/idempotency.ts";
import { type Connection, isFatal, toStorageError } from "./sqlite.ts";
import type { IdempotencyClaim, LogEvent, Tx, WriteCommand } from "./store.ts";
import type { Unit, UnitResult } from "./writer-protocol.ts";

/** Often enough that the table holds little more than a day, seldom enough to cost nothing. */
const PRUNE_EVERY_MS = 600_000;

export interface GroupOutcome {
	results: UnitResult[];
	events: LogEvent[];
	fatal: boolean;
}

interface WriterOptions {
	connection: Connection;
	commands: readonly WriteCommand[];
	faultPoint: FaultPoint;
}

/** Runs groups of units, each group in one transaction, each unit in a savepoint. */
export interface Writer {
	runGroup(units: readonly Unit[]): GroupOutcome;
}

function failure(id: number, thrown: unknown): UnitResult {
	const error = toStorageError(thrown);
	return { id, ok: false, error: error.toWire(), cause: thrown instanceof AppError ? null : inspect(thrown) };
}

function createTx(connection: Connection, events: LogEvent[], nowMs: number): Tx {
	return {
		nowMs,
		get: connection.get,
		all: connection.all,
		run: connection.run,
		append(stream, type, payload) {
			const counter = connection.get<{ seq: number }>(
				"INSERT INTO stream_counter (stream, seq) VALUES (?, 1) ON CONFLICT (stream) DO UPDATE SET seq = seq + 1 RETURNING seq",
				stream,
			);
			const seq = counter?.seq ?? 0;
			const logged = connection.get<{ log_id: number }>(
				"INSERT INTO event_log (stream, seq, type, payload, at_ms) VALUES (?, ?, ?, ?, ?) RETURNING log_id",
				stream,
				seq,
				type,
				JSON.stringify(payload ?? null),
				nowMs,
			);
			const event: LogEvent = {
				log_id: logged?.log_id ?? 0,
				stream,
				seq,
				type,
				payload: payload ?? null,
				at_ms: nowMs,
			};
			events.push(event);
			return event;
		},
	};
}

function rememberResult(
	connection: Connection,
	claim: IdempotencyClaim,
	result: unknown,
	nowMs: number,
): void {
	const text: string | undefined = JSON.stringify(result);
	connection.run(
		"INSERT OR REPLACE INTO idempotency (identity, method, key, digest, result, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
		claim.identity,
		claim.method,
		claim.key,
		claim.digest,
		text ?? null,
		nowMs,
	);
}

export function createWriter({ connection, commands, faultPoint }: WriterOptions): Writer {
	const byName = new Map(commands.map((command) => [command.name, command]));
	if (byName.size !== commands.length) throw new Error("two write commands have one name");
	let prunedAtMs = Number.NEGATIVE_INFINITY;

	function execute(unit: Unit, events: LogEvent[]): unknown {
		const command = byName.get(unit.command);
		if (!command)
			throw new Error(
				`no write command is named ${unit.command}; add it to daemon/storage/repository/index.ts`,
			);
		const { idempotency: claim, nowMs } = unit;
		const first = claim ? findCallResult(connection, claim, nowMs) : undefined;
		if (first) return first.value;
		const value = command.run(createTx(connection, events, nowMs), unit.args);
		if (claim) rememberResult(connection, claim, value, nowMs);
		return value;
	}

	/** Throws only when SQLite has rolled the whole transaction back (full disk, failing disk). */
	function runUnit(unit: Unit, group: LogEvent[]): UnitResult {
		const events: LogEvent[] = [];
		connection.run("SAVEPOINT unit");
		try {
			const value = execute(unit, events);
			connection.run("RELEASE unit");
			group.push(...events);
			return { id: unit.id, ok: true, value };
		} catch (error) {
			if (!connection.database.isTransaction) {
				// What one command made of it is not the answer to its neighbours.
				throw error instanceof AppError ? new AppError("STORAGE_FAILED", undefined, { cause: error }) : error;
			}
			connection.run("ROLLBACK TO unit");
			connection.run("RELEASE unit");
			return failure(unit.id, error);
		}
	}

	function prune(nowMs: number): void {
		if (nowMs - prunedAtMs < PRUNE_EVERY_MS) return;
		prunedAtMs = nowMs;
		connection.run("DELETE FROM idempotency WHERE at_ms <= ?", nowMs - IDEMPOTENCY_TTL_MS);
	}

	return {
		runGroup(units) {
			const events: LogEvent[] = [];
			try {
				connection.run("BEGIN IMMEDIATE");
				const results = units.map((unit) => runUnit(unit, events));
				prune(units[0]?.nowMs ?? 0);
				faultPoint("store.before-commit");
				connection.run("COMMIT");
				return { results, events, fatal: false };
			} catch (error) {
				if (connection.database.isTransaction) connection.run("ROLLBACK");
				return { results: units.map((unit) => failure(unit.id, error)), events: [], fatal: isFatal(error) };
			}
		},
	};
}
