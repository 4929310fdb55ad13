import type { AppError } from "#base/app-error.ts";
import type { ErrorCode } from "#base/error-table.ts";

/** Failures of the way, not of the request: the same request goes again later, under the same id. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
	"DAEMON_UNAVAILABLE",
	"DAEMON_STOPPING",
	"BUSY",
	"TIMEOUT",
]);

/** Whether the same request may be sent again as it is. */
export function isWayLost(error: AppError): boolean {
	return RETRYABLE.has(error.code);
}

/** What happened and what to do, in one line. */
export function sayError(error: AppError): string {
	return error.message.includes(error.remedy) ? error.message : `${error.message} ${error.remedy}`;
}
