import { AppError, toAppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import { type Clock, waitMs } from "#base/clock.ts";
import { findAgent } from "../storage/repository/weave-agent.ts";
import { type MessageRow, toMessage } from "../storage/repository/weave-message.ts";
import type { Reader } from "../storage/store.ts";
import type { Telemetry } from "../telemetry/port.ts";
import type { ThreadPort } from "./port.ts";
import type { Roster } from "./roster.ts";

/** A thread that cannot take mail is asked this often, over about a minute, before the message fails. */
const ATTEMPTS = 8;
const BACKOFF = { firstMs: 500, maxMs: 20_000 };

/** `waits`: nobody is there to take it; it stays in its mailbox. */
export type Handed = "delivered" | "waits" | "stopping" | { failed: AppError };

interface HandOverOptions {
	store: Reader;
	clock: Clock;
	threads: ThreadPort;
	roster: Roster;
	telemetry: Telemetry;
	signal: AbortSignal;
}

/** Hands one message to whoever it is for: a thread, or the line of a program outside. People are handed nothing. Never rejects but by the signal. */
export function createHandOver({
	store,
	clock,
	threads,
	roster,
	telemetry,
	signal,
}: HandOverOptions): (row: MessageRow) => Promise<Handed> {
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
				if (signal.aborted || error.code === "DAEMON_STOPPING") return "stopping";
				if (!error.retryable || attempt >= ATTEMPTS) return { failed: error };
				telemetry.count("weave_delivery_retries_total");
				await waitMs(clock, backoffMs(attempt, BACKOFF), signal);
			}
		}
	}

	return async (row) => {
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
	};
}
