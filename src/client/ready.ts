import type { Clock } from "#base/clock.ts";
import type { ServerHello } from "#protocol/envelope.ts";
import type { LinkState } from "./client.ts";
import type { LinkKeeper } from "./link-keeper.ts";

interface WaitReadyOptions {
	clock: Clock;
	keeper: LinkKeeper;
	/** 0 waits for ever. */
	timeoutMs: number;
}

/** Resolves at the next (or present) hello; rejects when refused, closed, or out of time. */
export function waitReady({ clock, keeper, timeoutMs }: WaitReadyOptions): Promise<ServerHello> {
	return new Promise((resolve, reject) => {
		const held = new DisposableStack();
		function check(state: LinkState): void {
			if (state.kind === "connecting" || state.kind === "reconnecting") return;
			held.dispose();
			if (state.kind === "connected") resolve(state.hello);
			else reject(keeper.linkError());
		}
		function expire(): void {
			held.dispose();
			reject(keeper.linkError());
		}
		held.use(keeper.states.on(check));
		if (timeoutMs > 0) held.use(clock.after(timeoutMs, expire));
		check(keeper.state);
	});
}
