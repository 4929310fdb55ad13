import { closeSync, writeSync } from "node:fs";
import type { AppError } from "#base/app-error.ts";
import type { Listener } from "#platform/discovery.ts";

/** Tells whoever started this process, once, how the start went: one JSON line on the pipe that WEAVE_READY_FD numbers. */
export interface ReadyReport {
	ready(listeners: readonly Listener[]): void;
	failed(error: AppError): void;
}

/** Without WEAVE_READY_FD nobody waits, and both calls do nothing. Only the first call counts. */
export function createReadyReport(env: Readonly<Record<string, string | undefined>>): ReadyReport {
	let pipe: number | undefined =
		env["WEAVE_READY_FD"] === undefined ? undefined : Number(env["WEAVE_READY_FD"]);
	function tell(message: unknown): void {
		if (pipe === undefined || !Number.isSafeInteger(pipe)) return;
		const fd = pipe;
		pipe = undefined;
		try {
			writeSync(fd, `${JSON.stringify(message)}\n`);
			closeSync(fd);
		} catch {
			// The starter gave up and left; the daemon runs on without it.
		}
	}
	return {
		ready: (listeners) => tell({ ready: true, listeners }),
		failed: (error) => tell({ error: error.toWire() }),
	};
}
