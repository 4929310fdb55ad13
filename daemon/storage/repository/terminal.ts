import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import type { Terminal } from "#protocol/record.ts";
import { defineWrite, type Reader, type Tx, type WriteCommand } from "../store.ts";

const COLUMNS =
	"terminal_id, name, argv, cwd, cols, rows, machine_id, created_by, created_at_ms, status, exit_code, signal, title, reason";
const LIVING = "status IN ('starting', 'running')";

const rowSchema = z.object({
	terminal_id: z.string(),
	name: z.string(),
	argv: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
	cwd: z.string(),
	cols: z.number(),
	rows: z.number(),
	machine_id: z.string(),
	created_by: z.string(),
	created_at_ms: z.number(),
	status: z.enum(["starting", "running", "exited", "lost"]),
	exit_code: z.number().nullable(),
	signal: z.number().nullable(),
	title: z.string().nullable(),
	reason: z.string().nullable(),
});

/** An intent shows as running: it is, within milliseconds, or it becomes `lost` with the reason. */
function toTerminal(row: unknown): Terminal {
	const { status, reason, ...rest } = rowSchema.parse(row);
	return {
		...rest,
		status: status === "starting" ? "running" : status,
		driver: null,
		watchers: 0,
		...(reason === null ? {} : { reason }),
	};
}

export function findTerminal(reader: Reader, terminalId: string): Terminal | undefined {
	const row = reader.get(`SELECT ${COLUMNS} FROM terminal WHERE terminal_id = ?`, terminalId);
	return row === undefined ? undefined : toTerminal(row);
}

/** The newest ended terminal of that name. */
export function findEndedTerminal(reader: Reader, name: string): Terminal | undefined {
	const row = reader.get(
		`SELECT ${COLUMNS} FROM terminal WHERE name = ? AND NOT ${LIVING} ORDER BY created_at_ms DESC LIMIT 1`,
		name,
	);
	return row === undefined ? undefined : toTerminal(row);
}

/** Oldest first. Of the ended at most the newest `endedLimit`. */
export function listTerminals(reader: Reader, options: { ended: boolean; endedLimit?: number }): Terminal[] {
	const living = reader.all(
		`SELECT ${COLUMNS} FROM terminal WHERE ${LIVING} ORDER BY created_at_ms, terminal_id`,
	);
	const ended = options.ended
		? reader
				.all(
					`SELECT ${COLUMNS} FROM terminal WHERE NOT ${LIVING} ORDER BY created_at_ms DESC, terminal_id DESC LIMIT ?`,
					options.endedLimit ?? 200,
				)
				.reverse()
		: [];
	return [...ended, ...living].map(toTerminal);
}

export interface TerminalIntent {
	terminal_id: string;
	/** Asked for; null takes a free variant of `default_name`. */
	name: string | null;
	default_name: string;
	argv: readonly string[];
	cwd: string;
	env: Readonly<Record<string, string>>;
	cols: number;
	rows: number;
	machine_id: string;
	created_by: string;
}

function isNameTaken(tx: Reader, machineId: string, name: string, exceptId = ""): boolean {
	return (
		tx.get(
			`SELECT 1 AS one FROM terminal WHERE machine_id = ? AND name = ? AND terminal_id <> ? AND ${LIVING}`,
			machineId,
			name,
			exceptId,
		) !== undefined
	);
}

function freeName(tx: Reader, machineId: string, base: string): string {
	if (!isNameTaken(tx, machineId, base)) return base;
	for (let number = 2; ; number += 1) {
		const candidate = `${base}-${number}`;
		if (!isNameTaken(tx, machineId, candidate)) return candidate;
	}
}

function insert(tx: Tx, intent: TerminalIntent, name: string, status: "starting" | "running"): Terminal {
	tx.run(
		"INSERT INTO terminal (terminal_id, name, argv, cwd, env, cols, rows, machine_id, created_by, created_at_ms, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		intent.terminal_id,
		name,
		JSON.stringify(intent.argv),
		intent.cwd,
		JSON.stringify(intent.env),
		intent.cols,
		intent.rows,
		intent.machine_id,
		intent.created_by,
		tx.nowMs,
		status,
	);
	return present(tx, intent.terminal_id);
}

function present(tx: Reader, terminalId: string): Terminal {
	const terminal = findTerminal(tx, terminalId);
	if (!terminal) throw new AppError("TERMINAL_NOT_FOUND");
	return terminal;
}

function stream(terminalId: string): string {
	return `terminal:${terminalId}`;
}

/** Writes the intent to start. @throws AppError CONFLICT when a living terminal has the name asked for. */
const terminalIntend = defineWrite(
	"terminal.intend",
	(tx, intent: TerminalIntent): { terminal: Terminal } => {
		if (intent.name !== null && isNameTaken(tx, intent.machine_id, intent.name)) {
			throw new AppError("CONFLICT", `A terminal named ${intent.name} is running already.`);
		}
		const name = intent.name ?? freeName(tx, intent.machine_id, intent.default_name);
		const terminal = insert(tx, intent, name, "starting");
		tx.append(stream(intent.terminal_id), "terminal.intended", {
			terminal_id: intent.terminal_id,
			name,
			argv: intent.argv,
			cwd: intent.cwd,
		});
		return { terminal };
	},
);

/** The host has it. One that the store never knew (its database was set aside) is taken over. */
const terminalRunning = defineWrite("terminal.running", (tx, intent: TerminalIntent): Terminal => {
	const known = findTerminal(tx, intent.terminal_id);
	if (!known) {
		const name = freeName(tx, intent.machine_id, intent.name ?? intent.default_name);
		insert(tx, intent, name, "running");
	} else {
		// A program may have ended, and its end been written, before its start was: that stays.
		const { changes } = tx.run(
			"UPDATE terminal SET status = 'running', reason = NULL, cols = ?, rows = ? WHERE terminal_id = ? AND status <> 'exited'",
			intent.cols,
			intent.rows,
			intent.terminal_id,
		);
		if (changes === 0) return known;
	}
	tx.append(stream(intent.terminal_id), "terminal.running", { terminal_id: intent.terminal_id });
	return present(tx, intent.terminal_id);
});

export interface TerminalEnd {
	terminal_id: string;
	status: "exited" | "lost";
	exit_code: number | null;
	signal: number | null;
	reason: string | null;
}

/** Once: a second end of the same terminal changes nothing. */
const terminalEnd = defineWrite("terminal.end", (tx, end: TerminalEnd): Terminal | null => {
	const { changes } = tx.run(
		`UPDATE terminal SET status = ?, exit_code = ?, signal = ?, reason = ?, ended_at_ms = ? WHERE terminal_id = ? AND ${LIVING}`,
		end.status,
		end.exit_code,
		end.signal,
		end.reason,
		tx.nowMs,
		end.terminal_id,
	);
	if (changes > 0) tx.append(stream(end.terminal_id), `terminal.${end.status}`, { ...end });
	return findTerminal(tx, end.terminal_id) ?? null;
});

/** @throws AppError CONFLICT, TERMINAL_NOT_FOUND. */
const terminalRename = defineWrite(
	"terminal.rename",
	(tx, input: { terminal_id: string; name: string }): { terminal: Terminal } => {
		const terminal = present(tx, input.terminal_id);
		if (isNameTaken(tx, terminal.machine_id, input.name, input.terminal_id)) {
			throw new AppError("CONFLICT", `A terminal named ${input.name} is running already.`);
		}
		tx.run("UPDATE terminal SET name = ? WHERE terminal_id = ?", input.name, input.terminal_id);
		tx.append(stream(input.terminal_id), "terminal.renamed", {
			terminal_id: input.terminal_id,
			name: input.name,
		});
		return { terminal: present(tx, input.terminal_id) };
	},
);

/** Written before text is typed for a keyed call, so that its retry types nothing. The text itself is not kept. */
const terminalTyped = defineWrite(
	"terminal.typed",
	(_tx, result: { bytes: number }): { bytes: number } => result,
);

export { terminalEnd, terminalIntend, terminalRename, terminalRunning, terminalTyped };

export const TERMINAL_COMMANDS = [
	terminalIntend,
	terminalRunning,
	terminalEnd,
	terminalRename,
	terminalTyped,
] as const satisfies readonly WriteCommand<never, unknown>[];
