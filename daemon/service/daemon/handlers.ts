import type { DaemonStatus } from "#protocol/record.ts";
import type { Handlers } from "../../gateway/handler.ts";

export interface DaemonHandlersOptions {
	status: () => DaemonStatus | Promise<DaemonStatus>;
	/** Begins the shutdown after the answer is out; says which pty-host serves the terminals, if one runs. */
	requestStop: (options: { terminals: boolean }) => { pty_host_pid: number | null };
}

/** Handlers of `daemon.*`. */
export function createDaemonHandlers({
	status,
	requestStop,
}: DaemonHandlersOptions): Handlers<"daemon.status" | "daemon.stop"> {
	return {
		"daemon.status": () => status(),
		"daemon.stop": ({ terminals }) => ({ stopping: true, ...requestStop({ terminals }) }),
	};
}
