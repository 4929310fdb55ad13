import { AppError } from "#base/app-error.ts";
import type { DaemonClient } from "#client/client.ts";

/** A daemon that is restarted is back sooner; one that is not will not come at all. */
const LINK_PATIENCE_MS = 30_000;

/** Gives up, with DAEMON_UNAVAILABLE, on a daemon that went away and stays away. */
export function watchLink(client: DaemonClient, giveUp: (error: AppError) => void): Disposable {
	let patience: NodeJS.Timeout | undefined;
	const states = client.onState((state) => {
		if (state.kind === "connected") {
			clearTimeout(patience);
			patience = undefined;
		} else if (state.kind === "reconnecting") {
			const error = new AppError("DAEMON_UNAVAILABLE", "The daemon went away and did not come back.");
			patience ??= setTimeout(() => giveUp(error), LINK_PATIENCE_MS);
		}
	});
	return {
		[Symbol.dispose]() {
			states[Symbol.dispose]();
			clearTimeout(patience);
		},
	};
}
