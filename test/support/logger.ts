import type { Logger } from "#daemon/telemetry/port.ts";

/** Keeps what was logged, so that a test can look. */
export interface MemoryLogger extends Logger {
	readonly lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[];
}

export function createMemoryLogger(
	lines: MemoryLogger["lines"] = [],
	base: Readonly<Record<string, unknown>> = {},
): MemoryLogger {
	const write =
		(level: string) =>
		(message: string, fields: Readonly<Record<string, unknown>> = {}) => {
			lines.push({ level, message, fields: { ...base, ...fields } });
		};
	return {
		lines,
		debug: write("debug"),
		info: write("info"),
		warn: write("warn"),
		error: write("error"),
		child: (fields) => createMemoryLogger(lines, { ...base, ...fields }),
	};
}
