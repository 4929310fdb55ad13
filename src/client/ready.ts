import type { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Emitter } from "#base/emitter.ts";
import type { ServerHello } from "#protocol/envelope.ts";
import type { LinkState } from "./client.ts";

interface WaitReadyOptions {
	clock: Clock;
	states: Emitter<LinkState>;
	current(): LinkState;
	linkError(): AppError;
	/** 0 waits for ever. */
	timeoutMs: number;
}

/** Resolves at the next (or present) hello; rejects when refused, closed, or out of time. */
export function waitReady({
	clock,
	states,
	current,
	linkError,
	timeoutMs,
}: WaitReadyOptions): Promise<ServerHello> {
	return new Promise((resolve, reject) => {
		let timer: Disposable | undefined;
		let listener: Disposable | undefined;
		function check(state: LinkState): void {
			if (state.kind === "connecting" || state.kind === "reconnecting") return;
			timer?.[Symbol.dispose]();
			listener?.[Symbol.dispose]();
			if (state.kind === "connected") resolve(state.hello);
			else reject(linkError());
		}
		listener = states.on(check);
		if (timeoutMs > 0) {
			timer = clock.after(timeoutMs, () => {
				listener?.[Symbol.dispose]();
				reject(linkError());
			});
		}
		check(current());
	});
}
