import { AppError, toAppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { findAgent } from "../storage/repository/weave-agent.ts";
import { markDelivered, settleMessages } from "../storage/repository/weave-command.ts";
import {
	findMessage,
	listOpenMessages,
	type MessageRow,
	nextUndelivered,
} from "../storage/repository/weave-message.ts";
import type { Store } from "../storage/store.ts";
import type { FaultPoint, Logger, Telemetry } from "../telemetry/port.ts";
import { createHandOver } from "./hand-over.ts";
import type { ThreadPort } from "./port.ts";
import type { Roster } from "./roster.ts";

/**
 * How long the mark of a hand-over to a program waits for that program's acknowledgement, which says more: most are here
 * by then, and one sync of the disk less stands between a message and its acknowledgement.
 */
const MARK_DELAY_MS = 10;

interface Lane {
	/** Everything up to here was handed over by this process; its mark may still be on the way to the disk. */
	afterNo: number;
	running: boolean;
	/** Handed over by the last process and not taken up: handed over once more, first. */
	backlog: MessageRow[];
}

interface DeliveryOptions {
	store: Store;
	clock: Clock;
	threads: ThreadPort;
	roster: Roster;
	telemetry: Telemetry;
	logger: Logger;
	fault: FaultPoint;
}

/** Hands mail over, one lane per agent: in order within it, lanes side by side. */
export interface Delivery extends AsyncDisposable {
	/** Begins with all mail that waits. */
	start(): void;
	readonly wake: (agentId: string) => void;
	forget(agentId: string): void;
}

export function createDelivery({
	store,
	clock,
	threads,
	roster,
	telemetry,
	logger,
	fault,
}: DeliveryOptions): Delivery {
	const lanes = new Map<string, Lane>();
	/** Writes on their way; lanes are not waited for, since a line that takes no more bytes would hold the daemon's end up. */
	const marks = new Set<Promise<void>>();
	const stop = new AbortController();
	const handOver = createHandOver({ store, clock, threads, roster, telemetry, signal: stop.signal });
	let started = false;

	function laneOf(agentId: string): Lane {
		const present = lanes.get(agentId);
		if (present !== undefined) return present;
		const lane: Lane = { afterNo: 0, running: false, backlog: [] };
		lanes.set(agentId, lane);
		return lane;
	}

	async function report(task: Promise<unknown>, what: string): Promise<void> {
		try {
			await task;
		} catch (error) {
			if (!stop.signal.aborted) logger.error(what, { error: toAppError(error).message });
		}
	}

	function mark(write: Promise<unknown>): void {
		const marking = report(write, "a delivery could not be marked").finally(() => marks.delete(marking));
		marks.add(marking);
	}

	/** Handed to programs outside, not marked yet. */
	let unmarked: string[] = [];
	let markTimer: Disposable | undefined;

	function markLater(messageId: string): void {
		unmarked.push(messageId);
		markTimer ??= clock.after(MARK_DELAY_MS, markNow);
	}

	function markNow(): void {
		markTimer?.[Symbol.dispose]();
		markTimer = undefined;
		const ids = unmarked;
		unmarked = [];
		for (const message_id of ids)
			if (findMessage(store, message_id)?.state === "accepted")
				mark(store.write(markDelivered, { message_id }));
	}

	function record(row: MessageRow, handed: "delivered" | { failed: AppError }): void {
		if (handed !== "delivered") {
			const outcome = { state: "failed" as const, answer: null, reason: handed.failed.code.toLowerCase() };
			mark(store.write(settleMessages, { message_ids: [row.message_id], outcome }));
			return;
		}
		telemetry.observe("weave_delivery_ms", Math.max(0, clock.nowMs() - row.created_at_ms));
		if (row.state !== "accepted") return;
		if (roster.members.has(row.to_agent_id)) markLater(row.message_id);
		else mark(store.write(markDelivered, { message_id: row.message_id }));
	}

	async function run(agentId: string, lane: Lane): Promise<void> {
		lane.running = true;
		try {
			while (!stop.signal.aborted) {
				const row = lane.backlog[0] ?? nextUndelivered(store, agentId, lane.afterNo);
				if (row === undefined) return;
				fault("bus.before-deliver");
				const handed = await handOver(row);
				if (handed === "waits" || handed === "stopping" || stop.signal.aborted) return;
				fault("bus.after-deliver");
				lane.backlog.shift();
				lane.afterNo = Math.max(lane.afterNo, row.message_no);
				record(row, handed);
			}
		} finally {
			lane.running = false;
		}
	}

	function wake(agentId: string): void {
		if (!started || stop.signal.aborted) return;
		const lane = laneOf(agentId);
		if (!lane.running) void report(run(agentId, lane), "a mailbox stopped");
	}

	return {
		start() {
			started = true;
			const waiting = new Set<string>();
			for (const row of listOpenMessages(store)) {
				waiting.add(row.to_agent_id);
				if (row.state === "delivered" && findAgent(store, row.to_agent_id)?.kind === "thread")
					laneOf(row.to_agent_id).backlog.push(row);
			}
			for (const agentId of waiting) wake(agentId);
		},
		wake,
		forget: (agentId) => void lanes.delete(agentId),
		async [Symbol.asyncDispose]() {
			stop.abort(new AppError("DAEMON_STOPPING"));
			markNow();
			while (marks.size > 0) await Promise.all(marks);
		},
	};
}
