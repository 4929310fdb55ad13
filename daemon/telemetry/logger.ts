import { type Logger as PinoLogger, pino } from "pino";
import type { LogFile } from "./log-file.ts";
import type { Logger } from "./port.ts";
import { redactFields, redactText } from "./redact.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

interface LoggerOptions {
	/** Where lines go: a LogFile, or stderr in the foreground. */
	sinks: readonly Pick<LogFile, "write">[];
	/** Default `info`; WEAVE_LOG_LEVEL at the composition root. */
	level?: LogLevel;
}

/** Structured logs as NDJSON (`level`, `time`, `msg`, fields), free of secrets and stacks. */
export function createLogger({ sinks, level = "info" }: LoggerOptions): Logger {
	const destination = {
		write(line: string): void {
			for (const sink of sinks) sink.write(line);
		},
	};
	const options = {
		level,
		base: null,
		timestamp: pino.stdTimeFunctions.isoTime,
		formatters: { level: (label: string) => ({ level: label }) },
	};
	return wrap(pino(options, destination));
}

function wrap(target: PinoLogger): Logger {
	const at =
		(level: LogLevel) =>
		(message: string, fields: Readonly<Record<string, unknown>> = {}) => {
			if (target.isLevelEnabled(level)) target[level](redactFields(fields), redactText(message));
		};
	return {
		debug: at("debug"),
		info: at("info"),
		warn: at("warn"),
		error: at("error"),
		child: (fields) => wrap(target.child(redactFields(fields))),
	};
}

/** Reads WEAVE_LOG_LEVEL; anything unknown is `info`. */
export function parseLogLevel(value: string | undefined): LogLevel {
	return value === "debug" || value === "warn" || value === "error" ? value : "info";
}
