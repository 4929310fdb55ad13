import { AppError } from "#base/app-error.ts";
import type { HostTerminal } from "#client/attach/host-message.ts";
import type { Terminal } from "#protocol/record.ts";
import type { Publish } from "../gateway/hub.ts";
import {
	findEndedTerminal,
	findTerminal,
	listTerminals,
	type TerminalEnd,
	terminalEnd,
} from "../storage/repository/terminal.ts";
import type { Store } from "../storage/store.ts";

/** The living terminals as the daemon shows them: the store's rows, overlaid with what the host says. */
export interface TerminalTable {
	/** Oldest first. */
	living(): Terminal[];
	all(): Terminal[];
	/** By id or living name. @throws AppError TERMINAL_NOT_FOUND; TERMINAL_CLOSED when it has ended. */
	resolve(ref: string): Terminal;
	/** Like resolve, but one that has just ended counts while the host still has its output. */
	attachable(ref: string): Terminal;
	/** The host is to forget an ended terminal: nobody can attach to it from now on. */
	release(terminalId: string): void;
	get(terminalId: string): Terminal | undefined;
	put(terminal: Terminal): void;
	/** The host's newest record of one. Returns it as shown. */
	overlay(host: HostTerminal, machineId: string): Terminal;
	/** Writes the end, publishes it, and drops the terminal from the living. `shown`: as the host told it, for one never seen running. */
	end(end: TerminalEnd, shown?: Terminal): Promise<void>;
}

function howEnded({ status, exit_code, signal }: Terminal): string {
	if (status === "lost") return "is lost";
	return signal ? `was ended by signal ${signal}` : `has ended with ${exit_code}`;
}

export function createTerminalTable(store: Store, publish: Publish): TerminalTable {
	const living = new Map<string, Terminal>();
	/** Ended, and still with the host: whoever started it may come for its output yet. */
	const lingering = new Map<string, Terminal>();
	/** Ended, and the end not on disk yet. */
	const ending = new Set<string>();

	/** The host's answer to a start may be read after the news that the program has ended. */
	function hasExited(terminalId: string): boolean {
		return ending.has(terminalId) || findTerminal(store, terminalId)?.status === "exited";
	}

	function put(terminal: Terminal): void {
		living.set(terminal.terminal_id, terminal);
		publish(
			"terminals.state",
			{ op: "put", key: terminal.terminal_id, value: terminal },
			{ key: terminal.terminal_id },
		);
	}
	function find(ref: string, among: ReadonlyMap<string, Terminal>): Terminal | undefined {
		return among.get(ref) ?? [...among.values()].findLast((terminal) => terminal.name === ref);
	}
	function resolve(ref: string): Terminal {
		const present = find(ref, living);
		if (present) return present;
		const ended = findTerminal(store, ref) ?? findEndedTerminal(store, ref);
		if (!ended) throw new AppError("TERMINAL_NOT_FOUND", `There is no terminal ${ref}.`);
		throw new AppError("TERMINAL_CLOSED", `The program of terminal ${ended.name} ${howEnded(ended)}.`, {
			data: { terminal: ended },
		});
	}
	return {
		living: () => [...living.values()],
		all: () => {
			const ended = listTerminals(store, { ended: true }).filter((terminal) => terminal.status !== "running");
			return [...ended.filter((terminal) => !living.has(terminal.terminal_id)), ...living.values()];
		},
		resolve,
		attachable: (ref) => find(ref, living) ?? find(ref, lingering) ?? resolve(ref),
		release: (terminalId) => void lingering.delete(terminalId),
		get: (terminalId) => living.get(terminalId),
		put,
		overlay(host, machineId) {
			const { pid: _pid, ...shown } = host;
			const terminal: Terminal = {
				...(living.get(host.terminal_id) ?? findTerminal(store, host.terminal_id)),
				...shown,
				machine_id: machineId,
			};
			if (host.status === "running" && (living.has(host.terminal_id) || !hasExited(host.terminal_id)))
				put(terminal);
			return terminal;
		},
		async end(end, shown) {
			const before = living.get(end.terminal_id) ?? shown;
			living.delete(end.terminal_id);
			if (end.status === "exited") {
				ending.add(end.terminal_id);
				if (before)
					lingering.set(end.terminal_id, {
						...before,
						status: "exited",
						exit_code: end.exit_code,
						signal: end.signal,
					});
			}
			const stored = await store.write(terminalEnd, end).finally(() => ending.delete(end.terminal_id));
			const terminal = stored ?? before;
			if (!terminal) return;
			const value: Terminal = {
				...terminal,
				title: before?.title ?? terminal.title,
				driver: null,
				watchers: 0,
			};
			publish("terminals.state", { op: "put", key: end.terminal_id, value }, { key: end.terminal_id });
		},
	};
}
