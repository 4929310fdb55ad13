import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { CallOptions } from "./client.ts";

/** One call that has no answer yet. */
interface Pending {
	readonly id: string;
	readonly method: string;
	readonly key: string;
	readonly text: string;
	readonly timeoutMs: number;
	sent: boolean;
	/** On some link, which is gone since: the daemon may have done it. */
	everSent: boolean;
	resolve(value: unknown): void;
	reject(error: AppError): void;
	release(): void;
}

interface RequestStoreOptions {
	clock: Clock;
	/** Sends when the link is up; the store sends again by `resend` after the next hello. */
	send(text: string): boolean;
	newKey(): string;
	/** What a call that ran out of time is told while there is no link. */
	linkError(): AppError;
}

/** Calls under way, each with its time limit; survives the link they were sent on. */
export interface RequestStore {
	call(method: string, params: unknown, options: CallOptions): Promise<unknown>;
	/** Settles the call that `id` names; false when there is none (it was given up). */
	settle(id: unknown, outcome: { result?: unknown; error?: AppError | undefined }): boolean;
	/** The link is gone: whatever has no answer was sent in vain. */
	unsend(): void;
	/** Sends what is unsent, in order of the calls; the keys make it safe. */
	resend(): void;
	failAll(error: AppError): void;
	readonly size: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** A call that was sent and then lost with its daemon is neither done nor not done, and is told so. */
function lossOf({ everSent, method, key }: Pending, error: AppError): AppError {
	if (!everSent || error.code !== "DAEMON_UNAVAILABLE") return error;
	const words = `Whether ${method} was carried out is unknown; to repeat it is safe with the same idempotency key (${key}).`;
	return new AppError("DAEMON_UNAVAILABLE", `${error.message} ${words}`, {
		data: { method, outcome: "unknown", idempotency_key: key },
		cause: error,
	});
}

function cancelled(signal: AbortSignal): AppError {
	return signal.reason instanceof AppError
		? signal.reason
		: new AppError("CANCELLED", undefined, { cause: signal.reason });
}

/**
 * Every call carries an idempotency key, since the client does not load the method table to know which of them change
 * something; the gateway ignores the key of those that do not.
 */
export function createRequestStore({ clock, send, newKey, linkError }: RequestStoreOptions): RequestStore {
	const pending = new Map<string, Pending>();
	let lastId = 0;

	function expire(entry: Pending, method: string): void {
		const lost = linkError();
		const error = entry.sent
			? new AppError("TIMEOUT", `${method} was not answered within ${entry.timeoutMs} ms.`)
			: lossOf(entry, lost);
		pending.delete(entry.id);
		entry.release();
		entry.reject(error);
	}

	function deliver(entry: Pending): void {
		entry.sent = send(entry.text);
		entry.everSent ||= entry.sent;
	}

	function track(entry: Pending, method: string, signal: AbortSignal | undefined): () => void {
		const timer = entry.timeoutMs > 0 ? clock.after(entry.timeoutMs, () => expire(entry, method)) : undefined;
		function onAbort(): void {
			if (!signal) return;
			pending.delete(entry.id);
			entry.release();
			entry.reject(cancelled(signal));
		}
		signal?.addEventListener("abort", onAbort, { once: true });
		return () => {
			timer?.[Symbol.dispose]();
			signal?.removeEventListener("abort", onAbort);
		};
	}

	return {
		call(method, params, { signal, timeoutMs = DEFAULT_TIMEOUT_MS, idempotencyKey = newKey() }) {
			if (signal?.aborted) return Promise.reject(cancelled(signal));
			lastId += 1;
			const id = String(lastId);
			const text = JSON.stringify({ type: "request", id, method, params, idempotency_key: idempotencyKey });
			const { promise, resolve, reject } = Promise.withResolvers<unknown>();
			const entry: Pending = {
				id,
				method,
				key: idempotencyKey,
				text,
				timeoutMs,
				sent: false,
				everSent: false,
				resolve,
				reject,
				release: () => undefined,
			};
			entry.release = track(entry, method, signal);
			pending.set(id, entry);
			deliver(entry);
			return promise;
		},
		settle(id, { result, error }) {
			const entry = typeof id === "string" ? pending.get(id) : undefined;
			if (!entry) return false;
			pending.delete(entry.id);
			entry.release();
			if (error) entry.reject(error);
			else entry.resolve(result);
			return true;
		},
		unsend() {
			for (const entry of pending.values()) entry.sent = false;
		},
		resend() {
			for (const entry of pending.values()) if (!entry.sent) deliver(entry);
		},
		failAll(error) {
			const entries = [...pending.values()];
			pending.clear();
			for (const entry of entries) {
				entry.release();
				entry.reject(lossOf(entry, error));
			}
		},
		get size() {
			return pending.size;
		},
	};
}
