import { AppError } from "#base/app-error.ts";
import { IDEMPOTENCY_TTL_MS } from "#protocol/limits.ts";
import { defineWrite, type IdempotencyClaim, type Reader } from "../store.ts";

/**
 * Keeps the result of a keyed call whose handler made no keyed write of its own; written with the claim, so that the
 * first result wins also against a write that came in between.
 */
export const rememberCallResult = defineWrite("gateway.remember-result", (_tx, result: unknown) => result);

/**
 * What this key's first call returned, if it was within the last 24 h.
 * @throws AppError IDEMPOTENCY_MISMATCH when that call had other parameters.
 */
export function findCallResult(
	reader: Reader,
	claim: IdempotencyClaim,
	nowMs: number,
): { value: unknown } | undefined {
	const row = reader.get<{ digest: string; result: string | null }>(
		"SELECT digest, result FROM idempotency WHERE identity = ? AND method = ? AND key = ? AND at_ms > ?",
		claim.identity,
		claim.method,
		claim.key,
		nowMs - IDEMPOTENCY_TTL_MS,
	);
	if (!row) return undefined;
	if (row.digest !== claim.digest) throw new AppError("IDEMPOTENCY_MISMATCH");
	return { value: row.result === null ? undefined : (JSON.parse(row.result) as unknown) };
}
