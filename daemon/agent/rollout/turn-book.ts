import { createHash } from "node:crypto";
import type { RolloutStep } from "#daemon/storage/repository/rollout-import.ts";
import type { TurnError } from "#protocol/codex-item.ts";
import { camelCase } from "./casing.ts";
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
	readonly open: ReadonlyMap<string, OpenTurn>;
	/** Rows that were made since no turn was open. */
	readonly since: number;
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
	startAt: number;
}

/** The time with milliseconds, where it fits the one in seconds. */
function preciseMs(ms: number, seconds: number | null): number {
	return seconds === null || Math.floor(ms / 1000) === seconds ? ms : seconds * 1000;
}

function errorOf(event: Json): TurnError | null {
	const error = objectOf(event, "error");
	if (typeof error["message"] !== "string") return null;
	const info = error["codex_error_info"];
	return {
		message: error["message"],
		codexErrorInfo: typeof info === "string" ? camelCase(info) : (info ?? null),
		additionalDetails: textOrNull(error, "additional_details"),
	};
}

export function createTurnBook({ threadId, push, startAt }: BookPorts): TurnBook {
	const open = new Map<string, OpenTurn>();
	let latest: OpenTurn | undefined;
	let serial = startAt;
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
		open,
		get since() {
			return since;
		},
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
			const duration = numberOrNull(event, "duration_ms");
			const endedAtMs = preciseMs(atMs, numberOrNull(event, "completed_at"));
			const from = duration === null ? turn.startedAtMs : endedAtMs - duration;
			const startedAtMs = preciseMs(from, numberOrNull(event, "started_at"));
			const error = errorOf(event);
			tell(turn);
			drop(turn);
			push({
				...{ step: "end", turn_id: turn.id, error, started_at_ms: startedAtMs },
				status: error === null ? status : "failed",
				final_text: textOrNull(event, "last_agent_message"),
				completed_at_ms: duration === null ? endedAtMs : startedAtMs + duration,
			});
		},
		endAll,
		settle() {
			since = 0;
		},
	};
}
