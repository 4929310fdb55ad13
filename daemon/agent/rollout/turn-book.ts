import { createHash } from "node:crypto";
import type { RolloutStep } from "#daemon/storage/repository/rollout-import.ts";
import type { TurnError } from "#protocol/codex-item.ts";
import { importErrorInfo } from "./error-info.ts";
import { type Json, numberOrNull, objectOf, textOf, textOrNull } from "./line.ts";

export interface OpenTurn {
	readonly id: string;
	/** The turn that it was made for; itself, mostly. */
	readonly root: string;
	/** Its start was written; else the next message of the person begins another. */
	readonly explicit: boolean;
	readonly startedAtMs: number;
	/** It has a row in the store. */
	told: boolean;
	hasMessage: boolean;
}

/** Turns that have begun and not ended. */
export interface TurnBook {
	openCount(): number;
	/** Rows that were made since everything was settled. */
	rowsSince(): number;
	/** The one that began last. */
	latest(): OpenTurn | undefined;
	/** The turn that lines without an id of one belong to. */
	current(atMs: number): OpenTurn;
	/** One that lines name before, or without, its start. */
	named(id: string, atMs: number): OpenTurn;
	begin(event: Json, atMs: number): void;
	/** For a person's message in a file that writes down no starts. */
	beginUnsaid(atMs: number): void;
	end(event: Json, atMs: number, status: "completed" | "interrupted"): void;
	/** The end of what has no end. */
	endAll(except?: string): void;
	/** No turn is open any more, and all of them are told. */
	settle(): void;
}

interface BookPorts {
	threadId: string;
	push(step: RolloutStep): void;
	/** How many turns there were before. */
	turnsBefore: number;
}

/** The time with milliseconds, where it fits the one in seconds. */
function preciseMs(ms: number, seconds: number | null): number {
	return seconds === null || Math.floor(ms / 1000) === seconds ? ms : seconds * 1000;
}

interface Times {
	started_at_ms: number;
	completed_at_ms: number;
}

/** Start and end to the millisecond that agree with the duration and, as far as they can, with the seconds that were written. */
function timesOf(event: Json, turn: OpenTurn, atMs: number): Times {
	const duration = numberOrNull(event, "duration_ms");
	const to = numberOrNull(event, "completed_at");
	if (duration === null) return { started_at_ms: turn.startedAtMs, completed_at_ms: preciseMs(atMs, to) };
	const from = numberOrNull(event, "started_at") ?? Math.floor((atMs - duration) / 1000);
	const until = to ?? Math.floor(atMs / 1000);
	const earliest = Math.max(from * 1000, until * 1000 - duration);
	const latest = Math.min(from * 1000 + 999, until * 1000 + 999 - duration);
	const start = Math.max(earliest, Math.min(latest, atMs - duration));
	return { started_at_ms: start, completed_at_ms: start + duration };
}

function errorOf(event: Json): TurnError | null {
	const error = objectOf(event, "error");
	if (typeof error["message"] !== "string") return null;
	return {
		message: error["message"],
		codexErrorInfo: importErrorInfo(error["codex_error_info"]),
		additionalDetails: textOrNull(error, "additional_details"),
	};
}

export function createTurnBook({ threadId, push, turnsBefore }: BookPorts): TurnBook {
	const open = new Map<string, OpenTurn>();
	let latest: OpenTurn | undefined;
	let serial = turnsBefore;
	let since = 0;

	/** The same file gives the same ids. */
	function madeUpId(): string {
		serial += 1;
		const hex = createHash("sha256").update(`${threadId} turn ${serial}`).digest("hex");
		return `${threadId.slice(0, 14)}7${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
	}

	function add(turn: OpenTurn): OpenTurn {
		open.set(turn.id, turn);
		return turn;
	}

	function tell(turn: OpenTurn): void {
		if (turn.told) return;
		turn.told = true;
		since += 1;
		push({ step: "turn", turn_id: turn.id, started_at_ms: turn.startedAtMs });
	}

	function drop(turn: OpenTurn): void {
		open.delete(turn.id);
		if (latest === turn) latest = [...open.values()].at(-1);
	}

	function close(turn: OpenTurn): void {
		tell(turn);
		drop(turn);
		if (turn.explicit) return;
		// Nothing says how it ended; it was followed by more.
		const end = { status: "completed" as const, error: null, final_text: null };
		push({ step: "end", turn_id: turn.id, ...end, started_at_ms: turn.startedAtMs, completed_at_ms: null });
	}

	function endAll(except?: string): void {
		for (const turn of [...open.values()]) if (turn.id !== except) close(turn);
	}

	function fresh(id: string, atMs: number, about: { root?: string; explicit: boolean }): OpenTurn {
		const root = about.root ?? id;
		return { id, root, explicit: about.explicit, startedAtMs: atMs, told: false, hasMessage: false };
	}

	function beginUnsaid(atMs: number): void {
		endAll();
		latest = add(fresh(madeUpId(), atMs, { explicit: false }));
		tell(latest);
	}

	return {
		openCount: () => open.size,
		rowsSince: () => since,
		latest: () => latest,
		current(atMs) {
			if (latest === undefined) beginUnsaid(atMs);
			if (latest === undefined) throw new Error("a turn was begun and is not there");
			return latest;
		},
		named: (id, atMs) => open.get(id) ?? add(fresh(id, atMs, { explicit: true })),
		begin(event, atMs) {
			const id = textOf(event, "turn_id") || madeUpId();
			const root = textOf(event, "root_turn_id") || id;
			endAll(root);
			const startedAtMs = preciseMs(atMs, numberOrNull(event, "started_at"));
			latest = add(fresh(id, startedAtMs, { root, explicit: true }));
			tell(latest);
		},
		beginUnsaid,
		end(event, atMs, status) {
			const turn = open.get(textOf(event, "turn_id")) ?? latest;
			if (turn === undefined) return;
			for (const other of [...open.values()]) if (other !== turn && other.root === turn.id) close(other);
			const error = errorOf(event);
			tell(turn);
			drop(turn);
			push({
				...{ step: "end", turn_id: turn.id, error, ...timesOf(event, turn, atMs) },
				status: error === null ? status : "failed",
				final_text: textOrNull(event, "last_agent_message"),
			});
		},
		endAll,
		settle() {
			since = 0;
		},
	};
}
