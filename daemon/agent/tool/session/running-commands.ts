import type { ExecResult, RunningCommand } from "../../environment.ts";
import type { Unread } from "./unread.ts";

/** What is known of a command that the model may still read from. */
export interface CommandSession {
	readonly processId: string;
	readonly threadId: string;
	readonly turnId: string;
	readonly itemId: string;
	/** As people are shown it. */
	readonly command: string;
	readonly cwd: string;
	readonly startedAtMs: number;
	readonly tty: boolean;
	readonly process: RunningCommand;
	readonly unread: Unread;
	/** Set once the process has ended. */
	result: ExecResult | null;
	/** While the model writes to it, its end waits, so that clients hear of the input first. */
	hold: Promise<void> | null;
	/** Resolves when the item is complete. */
	readonly completed: Promise<void>;
}

/** A command that runs, as clients list it. */
export interface RunningCommandInfo {
	readonly processId: string;
	readonly threadId: string;
	readonly turnId: string;
	readonly itemId: string;
	readonly command: string;
	readonly cwd: string;
	readonly pid: number | null;
	readonly startedAtMs: number;
}

/** Every command of every agent that has not ended; how clients and the runner find and end them. */
export interface RunningCommands {
	/** In the order of their start; of one thread when it is named. */
	list(threadId?: string): readonly RunningCommandInfo[];
	/** Ends one by its process or item id (of the thread, where named); false when none runs by that name. */
	terminate(id: string, threadId?: string): boolean;
	/** Ends what a turn started and what still runs of it; how many that were. */
	killTurn(turnId: string): number;
}

/** The registry as the tools use it. */
export interface CommandSessions extends RunningCommands {
	nextProcessId(): string;
	add(session: CommandSession): void;
	find(threadId: string, processId: number): CommandSession | undefined;
	/** Once the model knows its end. */
	remove(session: CommandSession): void;
	/** By the item that it belongs to. */
	forget(itemId: string): void;
}

/** Process numbers shown in items; they name a command within this daemon and are no pids. */
const FIRST_PROCESS_NUMBER = 1000;
/** As many commands of one thread as the reference server keeps; the oldest makes room. */
const MAX_PER_THREAD = 64;
/** Time between SIGTERM and SIGKILL for a command that is ended from outside. */
const GRACE_MS = 1_000;

export function createCommandSessions(): CommandSessions {
	const sessions = new Set<CommandSession>();
	let processNumber = FIRST_PROCESS_NUMBER;

	function makeRoom(threadId: string): void {
		const own = [...sessions].filter((one) => one.threadId === threadId);
		if (own.length < MAX_PER_THREAD) return;
		const victim = own.find((one) => one.result !== null) ?? own[0];
		if (victim === undefined) return;
		sessions.delete(victim);
		if (victim.result === null) victim.process.kill(GRACE_MS);
	}

	function running(): CommandSession[] {
		return [...sessions].filter((one) => one.result === null);
	}

	return {
		nextProcessId() {
			processNumber += 1;
			return String(processNumber);
		},
		add(session) {
			makeRoom(session.threadId);
			sessions.add(session);
		},
		find: (threadId, processId) =>
			[...sessions].find((one) => one.threadId === threadId && one.processId === String(processId)),
		remove: (session) => void sessions.delete(session),
		forget(itemId) {
			for (const one of sessions) if (one.itemId === itemId) sessions.delete(one);
		},
		list: (threadId) =>
			running()
				.filter((one) => threadId === undefined || one.threadId === threadId)
				.map(({ process, ...one }) => ({
					processId: one.processId,
					threadId: one.threadId,
					turnId: one.turnId,
					itemId: one.itemId,
					command: one.command,
					cwd: one.cwd,
					pid: process.pid,
					startedAtMs: one.startedAtMs,
				})),
		terminate(id, threadId) {
			const found = running().find(
				(one) =>
					(one.processId === id || one.itemId === id) &&
					(threadId === undefined || one.threadId === threadId),
			);
			found?.process.kill(GRACE_MS);
			return found !== undefined;
		},
		killTurn(turnId) {
			const own = running().filter((one) => one.turnId === turnId);
			for (const one of own) one.process.kill(GRACE_MS);
			return own.length;
		},
	};
}
