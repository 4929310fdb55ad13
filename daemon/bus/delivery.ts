import { AppError, toAppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import { type Clock, waitMs } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import { findAgent } from "../storage/repository/weave-agent.ts";
import { markDelivered, settleMessages } from "../storage/repository/weave-command.ts";
import { listOpenMessages, type MessageRow, nextUndelivered, toMessage } from "../storage/repository/weave-message.ts";
import type { Store } from "../storage/store.ts";
import type { FaultPoint, Logger, Telemetry } from "../telemetry/port.ts";
import type { ThreadPort } from "./port.ts";
import type { Roster } from "./roster.ts";

/** A thread that cannot take mail is asked this often, over about a minute, before the message fails. */
const ATTEMPTS = 8;
const BACKOFF = { firstMs: 500, maxMs: 20_000 };

interface Lane {
	/** Everything up to here was handed over by this process; its mark may still be on the way to the disk. */
	afterNo: number;
	running: boolean;
	/** Handed over by the last process and not taken up: handed over once more, first. */
	backlog: MessageRow[];
}

type Handed = "delivered" | "waits" | "stopping" | { failed: AppError };

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
	wake(agentId: string): void;
	forget(agentId: string): void;
}

export function createDelivery({ store, clock, threads, roster, telemetry, logger, fault }: DeliveryOptions): Delivery {
	const lanes = new Map<string, Lane>();
	const work = new Set<Promise<void>>();
	const stop = new AbortController();
	const stopped = createDeferred<"stopping">();
	let started = false;

	function laneOf(agentId: string): Lane {
		const present = lanes.get(agentId);
		if (present !== undefined) return present;
		const lane: Lane = { afterNo: 0, running: false, backlog: [] };
		lanes.set(agentId, lane);
		return lane;
	}

	function track(task: Promise<unknown>, what: string): void {
		const settled = task.then(
			() => undefined,
			(error: unknown) => {
				if (!stop.signal.aborted) logger.error(what, { error: toAppError(error).message });
			},
		);
		const tracked = settled.finally(() => work.delete(tracked));
		work.add(tracked);
	}

	async function intoThread(threadId: string, row: MessageRow): Promise<Handed> {
		for (let attempt = 1; ; attempt += 1) {
			try {
				await threads.deliver({
					thread_id: threadId,
					message_id: row.message_id,
					from_name: row.from_name,
					text: row.text,
					kind: row.kind,
				});
				return "delivered";
			} catch (thrown) {
				const error = toAppError(thrown);
				if (stop.signal.aborted || error.code === "DAEMON_STOPPING") return "stopping";
				if (!error.retryable || attempt >= ATTEMPTS) return { failed: error };
				telemetry.count("weave_delivery_retries_total");
				await waitMs(clock, backoffMs(attempt, BACKOFF), stop.signal);
			}
		}
	}

	async function handOver(row: MessageRow): Promise<Handed> {
		const agent = findAgent(store, row.to_agent_id);
		if (agent === undefined || agent.left_at_ms !== null) return { failed: new AppError("AGENT_NOT_FOUND") };
		if (agent.kind === "thread" && agent.thread_id !== null) return intoThread(agent.thread_id, row);
		const member = roster.members.get(agent.agent_id);
		if (member === undefined) return "waits";
		try {
			await member.deliver(toMessage(row));
			return "delivered";
		} catch {
			return "waits";
		}
	}

	function record(row: MessageRow, handed: "delivered" | { failed: AppError }): void {
		if (handed !== "delivered") {
			const outcome = { state: "failed" as const, answer: null, reason: handed.failed.code.toLowerCase() };
			track(store.write(settleMessages, { message_ids: [row.message_id], outcome }), "a message could not be failed");
			return;
		}
		telemetry.observe("weave_delivery_ms", Math.max(0, clock.nowMs() - row.created_at_ms));
		if (row.state !== "accepted") return;
		track(store.write(markDelivered, { message_id: row.message_id }), "a delivery could not be marked");
	}

	async function run(agentId: string, lane: Lane): Promise<void> {
		lane.running = true;
		try {
			while (!stop.signal.aborted) {
				const row = lane.backlog[0] ?? nextUndelivered(store, agentId, lane.afterNo);
				if (row === undefined) return;
				fault("bus.before-deliver");
				const handed = await Promise.race([handOver(row), stopped.promise]);
				if (handed === "waits" || handed === "stopping") return;
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
		if (!lane.running) track(run(agentId, lane), "a mailbox stopped");
	}

	return {
		start() {
			started = true;
			const waiting = new Set<string>();
			for (const row of listOpenMessages(store)) {
				waiting.add(row.to_agent_id);
				if (row.state === "delivered" && findAgent(store, row.to_agent_id)?.kind === "thread") laneOf(row.to_agent_id).backlog.push(row);
			}
			for (const agentId of waiting) wake(agentId);
		},
		wake,
		forget: (agentId) => void lanes.delete(agentId),
		async [Symbol.asyncDispose]() {
			stop.abort(new AppError("DAEMON_STOPPING"));
			// A line that takes no more bytes, or a thread that hangs, must not hold the daemon's end up.
			stopped.resolve("stopping");
			while (work.size > 0) await Promise.all(work);
		},
	};
}
