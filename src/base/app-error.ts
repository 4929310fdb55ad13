import { ERROR_TABLE, type ErrorCode } from "./error-table.ts";

/** Extra facts a caller may act on; JSON-safe, free of secrets, never a stack. */
export type ErrorData = Readonly<Record<string, unknown>>;

/** What crosses a wire for an error; `code` is the wire number, `name` the stable code. */
export interface WireError {
	code: number;
	name: string;
	message: string;
	retryable: boolean;
	data?: ErrorData | undefined;
}

interface AppErrorOptions {
	data?: ErrorData | undefined;
	cause?: unknown;
}

/**
 * The one error that crosses boundaries. `message` says what happened; the table's remedy says what to do next.
 * Expected failures inside streams are values instead (architecture.md 5).
 */
export class AppError extends Error {
	override readonly name = "AppError";
	readonly code: ErrorCode;
	readonly data: ErrorData | undefined;

	constructor(code: ErrorCode, message?: string, options: AppErrorOptions = {}) {
		super(message ?? ERROR_TABLE[code].summary, options.cause === undefined ? {} : { cause: options.cause });
		this.code = code;
		this.data = options.data;
	}

	get retryable(): boolean {
		return ERROR_TABLE[this.code].retryable;
	}

	get exitCode(): number {
		return ERROR_TABLE[this.code].exit;
	}

	/** What the person can do about it; a full sentence. */
	get remedy(): string {
		return ERROR_TABLE[this.code].remedy;
	}

	toWire(): WireError {
		const wire: WireError = {
			code: ERROR_TABLE[this.code].wire,
			name: this.code,
			message: this.message,
			retryable: this.retryable,
		};
		if (this.data !== undefined) wire.data = this.data;
		return wire;
	}

	/** Rebuilds an error a peer sent; a code this version does not know becomes INTERNAL with the original kept in `data.peer_code`. */
	static fromWire(wire: { name: string; message: string; data?: unknown }): AppError {
		const data = typeof wire.data === "object" && wire.data !== null ? (wire.data as ErrorData) : undefined;
		if (Object.hasOwn(ERROR_TABLE, wire.name))
			return new AppError(wire.name as ErrorCode, wire.message, { data });
		return new AppError("INTERNAL", wire.message, { data: { ...data, peer_code: wire.name } });
	}
}

/** Turns anything thrown into an AppError; the original stays as `cause`, its text does not leave the process. */
export function toAppError(thrown: unknown): AppError {
	if (thrown instanceof AppError) return thrown;
	return new AppError("INTERNAL", undefined, { cause: thrown });
}
