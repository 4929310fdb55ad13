import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { findCallResult, rememberCallResult } from "../storage/repository/idempotency.ts";
import type { IdempotencyClaim, Store } from "../storage/store.ts";

/** Calls with an idempotency key: at most one under way per key, and its first result ever after (24 h). */
export interface KeyedCalls {
	/**
	 * Runs `execute` unless the key was seen; who repeats a call under way waits for it.
	 * @throws AppError IDEMPOTENCY_MISMATCH when the key came with other parameters, or what `execute` throws.
	 */
	run(claim: IdempotencyClaim, signal: AbortSignal, execute: () => Promise<unknown>): Promise<unknown>;
}

interface Flight {
	readonly digest: string;
	readonly promise: Promise<unknown>;
}

/** The first caller left and took its call along; one that still waits is owed an answer. */
function wasLeft(thrown: unknown, signal: AbortSignal): boolean {
	return thrown instanceof AppError && thrown.code === "CANCELLED" && !signal.aborted;
}

export function createKeyedCalls(store: Store, clock: Clock): KeyedCalls {
	const flights = new Map<string, Flight>();

	async function executeOnce(claim: IdempotencyClaim, execute: () => Promise<unknown>): Promise<unknown> {
		const first = findCallResult(store, claim, clock.nowMs());
		if (first) return first.value;
		const result = await execute();
		// A handler that handed the claim to its own write has stored the result with the change already.
		if (!findCallResult(store, claim, clock.nowMs())) {
			await store.write(rememberCallResult, result ?? null, { idempotency: claim });
		}
		return result;
	}

	async function lead(flightKey: string, digest: string, promise: Promise<unknown>): Promise<unknown> {
		flights.set(flightKey, { digest, promise });
		try {
			return await promise;
		} finally {
			flights.delete(flightKey);
		}
	}

	async function run(
		claim: IdempotencyClaim,
		signal: AbortSignal,
		execute: () => Promise<unknown>,
	): Promise<unknown> {
		const flightKey = JSON.stringify([claim.identity, claim.method, claim.key]);
		const flight = flights.get(flightKey);
		if (!flight) return lead(flightKey, claim.digest, executeOnce(claim, execute));
		if (flight.digest !== claim.digest) throw new AppError("IDEMPOTENCY_MISMATCH");
		try {
			return await flight.promise;
		} catch (thrown) {
			if (!wasLeft(thrown, signal)) throw thrown;
		}
		return run(claim, signal, execute);
	}

	return { run };
}
