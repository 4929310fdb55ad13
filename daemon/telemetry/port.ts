/** Measures and traces; cheap enough for hot paths. Field values never hold secrets. */
export interface Telemetry {
	count(name: string, by?: number, labels?: Readonly<Record<string, string>>): void;
	/** A duration or size into a histogram; the unit is in the name (`_ms`, `_bytes`). */
	observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
	/** A value read when somebody looks. */
	gauge(name: string, read: () => number): Disposable;
	/** One line of the span ring: `ts|phase|event|fields`. */
	trace(phase: string, event: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
}

export interface Logger {
	debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
	info(message: string, fields?: Readonly<Record<string, unknown>>): void;
	warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
	error(message: string, fields?: Readonly<Record<string, unknown>>): void;
	child(fields: Readonly<Record<string, unknown>>): Logger;
}

/**
 * Named points where a test kills or fails the process (`WEAVE_FAULT=name[:nth][=kill|throw]`, read once at start).
 * In use the call costs one comparison.
 */
export type FaultPoint = (name: string) => void;
