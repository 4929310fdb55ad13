import { type Clock, systemClock } from "#base/clock.ts";
import type { Paths } from "#platform/paths.ts";
import { VERSION } from "#protocol/limits.ts";
import type { DaemonClient } from "../client.ts";
import { createClient } from "../create-client.ts";
import { createUnixTransport } from "../transport/unix.ts";

interface ConnectLocalOptions {
	/** `cli`, `tui`, ...: shown to people as who answered or drives. */
	kind: string;
	/** Default: `pid N`. */
	name?: string;
	version?: string;
	/** True (default): the first attempt decides and a lost daemon gets 5 s to return, for one-shot commands. False: keeps trying, for the TUI. */
	failFast?: boolean;
}

/** Unlike the system clock it keeps the process alive: a command that waits for a restarting daemon must not just end. */
const holdingClock: Clock = {
	...systemClock,
	after(delayMs, fire) {
		const timer = setTimeout(fire, delayMs);
		return { [Symbol.dispose]: () => clearTimeout(timer) };
	},
};

/**
 * A client of this machine's daemon over its Unix socket; the caller disposes it.
 * Returns at once; `ready()` (and the first call) tells DAEMON_UNAVAILABLE when no daemon runs.
 */
export function connectLocal(
	paths: Pick<Paths, "daemonSocket">,
	{ kind, name = `pid ${process.pid}`, version = VERSION, failFast = true }: ConnectLocalOptions,
): DaemonClient {
	return createClient({
		transport: createUnixTransport({ socketPath: paths.daemonSocket, clock: holdingClock }),
		client: { name, version, kind },
		clock: holdingClock,
		random: Math.random,
		failFast,
	});
}
