import { spawn } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, waitMs } from "#base/clock.ts";

/** Longest wait for another process; over what a refresh may take, as it is done under the lock. */
const MAX_WAIT_MS = 60_000;
const RETRY_MS = 25;
/** Of BSD and macOS, where open itself takes the lock that flock(2) would. */
const O_EXLOCK = 0x20;

/** Locks the open file behind `fd` by util-linux's `flock`: the lock stays with the file that we hold open, not with the program. */
function lockByProgram(fd: number): Promise<boolean> {
	const { promise, resolve } = Promise.withResolvers<boolean>();
	const seconds = String(MAX_WAIT_MS / 1000);
	const child = spawn("flock", ["-x", "-w", seconds, "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
	child.once("error", () => resolve(false));
	child.once("close", (code) => resolve(code === 0));
	return promise;
}

async function poll<T>(clock: Clock, attempt: () => T | undefined): Promise<T | undefined> {
	const until = clock.monotonicMs() + MAX_WAIT_MS;
	for (;;) {
		const taken = attempt();
		if (taken !== undefined || clock.monotonicMs() >= until) return taken;
		await waitMs(clock, RETRY_MS);
	}
}

function openLocked(path: string): number | undefined {
	try {
		return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK, 0o600);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
		throw error;
	}
}

/** A file that is there while somebody holds it; one that is older than the longest wait was left by a dead process. */
function makeFile(path: string, nowMs: number): string | undefined {
	try {
		closeSync(openSync(path, "wx", 0o600));
		return path;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		const age = nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs);
		if (age > MAX_WAIT_MS) rmSync(path, { force: true });
		return undefined;
	}
}

/**
 * Holds the lock file that the Codex CLI locks by flock(2). Where this machine has no `flock` program, a lock file of our
 * own beside it keeps at least our processes apart. Resolves after a minute at most, then without the lock: a stuck
 * neighbour must not end every login.
 */
export async function holdLock(path: string, clock: Clock): Promise<Disposable> {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	if (process.platform === "darwin" || process.platform === "freebsd") {
		const fd = await poll(clock, () => openLocked(path));
		return { [Symbol.dispose]: () => void (fd === undefined || closeSync(fd)) };
	}
	const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
	if (await lockByProgram(fd)) return { [Symbol.dispose]: () => closeSync(fd) };
	closeSync(fd);
	const own = await poll(clock, () => makeFile(`${path}.weave`, clock.nowMs()));
	return { [Symbol.dispose]: () => void (own === undefined || rmSync(own, { force: true })) };
}
