import { AppError, toAppError } from "#base/app-error.ts";
import { requestSchema } from "#protocol/envelope.ts";
import { LIMITS } from "#protocol/limits.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Caller, Connection } from "./handler.ts";

interface RequestRunnerOptions {
	dispatcher: Dispatcher;
	/** Aborted when the connection ends. */
	signal: AbortSignal;
	say(message: unknown): void;
	/** Told of each request that was broken, after it was answered. */
	onOffence(): void;
}

/** The requests of one connection, side by side up to the limit. */
export interface RequestRunner {
	run(message: Readonly<Record<string, unknown>>, caller: Caller, connection: Connection): Promise<void>;
}

function isAnswerable(id: unknown): id is string | number {
	return (typeof id === "string" && id.length > 0 && id.length <= 100) || Number.isSafeInteger(id);
}

export function createRequestRunner({
	dispatcher,
	signal,
	say,
	onOffence,
}: RequestRunnerOptions): RequestRunner {
	const running = new Set<string | number>();

	/** To its request when it can be told which; never to one that is under way, whose answer is still to come. */
	function offend(message: string, id: unknown): void {
		const error = new AppError("PROTOCOL_INVALID_FRAME", message).toWire();
		say(isAnswerable(id) && !running.has(id) ? { type: "response", id, error } : { type: "error", error });
		onOffence();
	}

	return {
		async run(message, caller, connection) {
			const parsed = requestSchema.safeParse(message);
			if (!parsed.success) {
				offend("The request is not as the protocol has it.", message["id"]);
				return;
			}
			const { id, method, params, idempotency_key: idempotencyKey } = parsed.data;
			if (running.has(id)) {
				offend("A request with this id is under way.", id);
				return;
			}
			if (running.size >= LIMITS.concurrent_requests) {
				const busy = `At most ${LIMITS.concurrent_requests} requests of one connection run at once.`;
				say({ type: "response", id, error: new AppError("BUSY", busy).toWire() });
				return;
			}
			running.add(id);
			try {
				const result = await dispatcher.dispatch({
					method,
					params,
					idempotencyKey,
					caller,
					signal,
					connection,
				});
				say({ type: "response", id, result: result ?? null });
			} catch (thrown) {
				say({ type: "response", id, error: toAppError(thrown).toWire() });
			} finally {
				running.delete(id);
			}
		},
	};
}
