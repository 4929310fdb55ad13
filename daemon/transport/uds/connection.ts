import { once } from "node:events";
import type { Socket } from "node:net";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { type WeaveEnvelope, weaveEnvelopeSchema } from "#protocol/weave/envelope.ts";
import type { Bus } from "../../bus/port.ts";
import type { Logger, Telemetry } from "../../telemetry/port.ts";
import { createLineReader, type LineEvent } from "./line-reader.ts";
import { performOperation, type Seat } from "./operation.ts";
import { encodeDelivery, encodeEnvelope, encodeError, WireError } from "./wire.ts";

/** Lines that were not envelopes; the one after this many ends the connection. */
const OFFENCES_MAX = 10;
/** Requests of one connection under way; further lines wait in the socket. */
const CONCURRENT_MAX = 256;
/** A peer that does not close after we did is cut off. */
const CLOSING_MS = 1_000;

export interface ConnectionOptions {
	bus: Bus;
	clock: Clock;
	logger: Logger;
	telemetry: Telemetry;
}

interface Line {
	/** Resolves when the socket took it or is gone; a full socket makes the caller wait. */
	write(line: string): Promise<boolean>;
}

function createLine(socket: Socket): Line {
	let drained: Promise<unknown> | undefined;
	return {
		async write(line) {
			if (socket.destroyed || socket.writableEnded) return false;
			if (socket.write(line)) return true;
			drained ??= Promise.race([once(socket, "drain"), once(socket, "close")])
				.catch(() => undefined)
				.finally(() => {
					drained = undefined;
				});
			await drained;
			return !socket.destroyed;
		},
	};
}

function parseEnvelope(line: string): WeaveEnvelope {
	let json: unknown;
	try {
		json = JSON.parse(line);
	} catch {
		throw new WireError("invalid_json", "A line was not JSON.");
	}
	const parsed = weaveEnvelopeSchema.safeParse(json);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	throw new WireError(
		"invalid_envelope",
		`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not an envelope"}`,
	);
}

/** Requests under way, at most CONCURRENT_MAX; `room` resolves when there is a place. */
function createSlots(): { enter(): void; leave(): void; room(): Promise<void>; idle(): Promise<void> } {
	let used = 0;
	let waiting: { below: number; resolve: () => void }[] = [];
	function below(limit: number): Promise<void> {
		if (used < limit) return Promise.resolve();
		return new Promise((resolve) => waiting.push({ below: limit, resolve }));
	}
	return {
		enter() {
			used += 1;
		},
		leave() {
			used -= 1;
			const ready = waiting.filter((waiter) => used < waiter.below);
			waiting = waiting.filter((waiter) => used >= waiter.below);
			for (const waiter of ready) waiter.resolve();
		},
		room: () => below(CONCURRENT_MAX),
		idle: () => below(1),
	};
}

/** Serves one connection until it ends; the agent that joined on it leaves with it. Never rejects. */
export async function serveConnection(
	socket: Socket,
	{ bus, clock, logger, telemetry }: ConnectionOptions,
): Promise<void> {
	const line = createLine(socket);
	const slots = createSlots();
	const reader = createLineReader();
	let offences = 0;
	let cutOff: Disposable | undefined;
	const joins = new Set<Promise<unknown>>();

	const seat: Seat = {
		agentId: undefined,
		joining: undefined,
		port: {
			async deliver(message) {
				// The answer to the join goes out before the first mail.
				await Promise.all(joins);
				if (seat.agentId !== message.to_agent_id)
					throw new AppError("CANCELLED", "Nobody of that id sits here.");
				if (!(await line.write(encodeDelivery(message, clock.nowMs()))))
					throw new AppError("CANCELLED", "The connection is gone.");
			},
			removed() {
				seat.agentId = undefined;
				void slots.idle().then(finish);
			},
		},
	};

	function finish(): void {
		socket.end();
		cutOff ??= clock.after(CLOSING_MS, () => socket.destroy());
	}

	/** Lets answers to a peer that has said all it had to say out before the end. */
	async function close(): Promise<void> {
		if (!socket.destroyed) {
			const closed = once(socket, "close").catch(() => undefined);
			finish();
			await closed;
		}
		cutOff?.[Symbol.dispose]();
	}

	async function respond(envelope: WeaveEnvelope): Promise<void> {
		try {
			const answer = await performOperation(envelope, seat, bus);
			if (answer === undefined) return;
			await line.write(
				encodeEnvelope(
					{ type: "response", nowMs: clock.nowMs() },
					{ corr: envelope.id, status: "ok", ...answer },
				),
			);
		} catch (error) {
			await line.write(encodeError(error, clock.nowMs(), envelope.id));
		}
	}

	function begin(envelope: WeaveEnvelope): void {
		slots.enter();
		telemetry.count("weave_socket_requests_total");
		const task = respond(envelope).finally(() => slots.leave());
		if (envelope.type !== "agent.add") return;
		joins.add(task);
		void task.finally(() => joins.delete(task));
	}

	async function offend(error: unknown): Promise<void> {
		offences += 1;
		telemetry.count("weave_socket_offences_total");
		await line.write(encodeError(error, clock.nowMs(), undefined));
		if (offences <= OFFENCES_MAX) return;
		await line.write(
			encodeError(
				new WireError("too_many_errors", "Too many lines were not envelopes."),
				clock.nowMs(),
				undefined,
			),
		);
		finish();
	}

	async function take(event: LineEvent): Promise<void> {
		if ("tooLong" in event)
			return offend(new WireError("line_too_long", "A line was over 1 MiB and was skipped."));
		let envelope: WeaveEnvelope;
		try {
			envelope = parseEnvelope(event.line);
		} catch (error) {
			return offend(error);
		}
		begin(envelope);
		await slots.room();
	}

	try {
		for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
			for (const event of reader.push(chunk as Uint8Array)) {
				if (socket.writableEnded) break;
				await take(event);
			}
		}
	} catch (error) {
		logger.debug("a weave connection broke", { error: String(error) });
	}
	await slots.idle();
	if (seat.agentId === undefined) return close();
	await bus
		.leaveExternal(seat.agentId)
		.catch((error: unknown) => logger.debug("an agent could not be taken out", { error: String(error) }));
	return close();
}
