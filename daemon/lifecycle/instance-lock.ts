import { readFileSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { AppError } from "#base/app-error.ts";
import { tryLockFile } from "#daemon/storage/file-lock.ts";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import {
	isSameProcess,
	type ProcessIdentity,
	parseProcessIdentity,
	readProcessIdentity,
} from "#platform/identity.ts";
import { toHomeError } from "./home.ts";

interface Holder extends ProcessIdentity {
	version: string;
	home: string;
}

export interface InstanceLockOptions {
	/** paths.lock or paths.weaveLock; `<path>.holder` beside it says who holds it, for messages only. */
	path: string;
	/** `daemon`: one per HOMIE_HOME; `bus`: one per WEAVE_HOME. */
	kind: "daemon" | "bus";
	version: string;
	home: string;
	/** How long a holder without a name is waited for: one that just took the lock, or somebody probing it. Default 1 s. */
	settleMs?: number;
}

const DEFAULT_SETTLE_MS = 1000;
const RETRY_MS = 20;

function readHolder(path: string): Holder | undefined {
	try {
		const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
		const identity = parseProcessIdentity(parsed);
		if (!identity) return undefined;
		const { version, home } = parsed as Partial<Holder>;
		return { ...identity, version: String(version ?? "unknown"), home: String(home ?? "unknown") };
	} catch {
		return undefined;
	}
}

function heldError({ kind, path, version }: InstanceLockOptions, holder: Holder | undefined): AppError {
	const who = holder ? `pid ${holder.pid}, version ${holder.version}` : "its pid is not known";
	const data = holder ? { pid: holder.pid, version: holder.version, home: holder.home } : {};
	if (kind === "bus") {
		return new AppError(
			"SOCKET_IN_USE",
			`Another daemon serves the bus of ${path} (${who}, home ${holder?.home ?? "unknown"}).`,
			{ data },
		);
	}
	if (holder && holder.version !== version) {
		return new AppError(
			"DAEMON_VERSION_MISMATCH",
			`A daemon of version ${holder.version} runs in this home (pid ${holder.pid}); this is ${version}.`,
			{ data },
		);
	}
	return new AppError("DAEMON_ALREADY_RUNNING", `A daemon already runs in this home (${who}).`, { data });
}

/**
 * Takes the lock or says who has it. The kernel frees it at death, so a crash leaves nothing to clean up and a reused
 * pid cannot hold it; disposing removes both files.
 * @throws AppError DAEMON_ALREADY_RUNNING, DAEMON_VERSION_MISMATCH, SOCKET_IN_USE (bus), HOME_NOT_WRITABLE, STORAGE_FULL.
 */
export async function acquireInstanceLock(options: InstanceLockOptions): Promise<Disposable> {
	const { path, version, home, settleMs = DEFAULT_SETTLE_MS } = options;
	const holderPath = `${path}.holder`;
	const giveUpMs = performance.now() + settleMs;
	for (;;) {
		const lock = tryLock(path);
		if (lock) {
			const own = readProcessIdentity(process.pid) ?? { pid: process.pid, start_time: "" };
			try {
				writeFileAtomic(holderPath, `${JSON.stringify({ ...own, version, home })}\n`);
			} catch (error) {
				lock[Symbol.dispose]();
				throw toHomeError(error, holderPath);
			}
			return {
				[Symbol.dispose]() {
					rmSync(holderPath, { force: true });
					lock[Symbol.dispose]();
				},
			};
		}
		const holder = readHolder(holderPath);
		const known = holder !== undefined && isSameProcess(holder);
		if (known || performance.now() >= giveUpMs) throw heldError(options, known ? holder : undefined);
		await pause(RETRY_MS);
	}
}

function tryLock(path: string): Disposable | undefined {
	try {
		return tryLockFile(path);
	} catch (error) {
		throw toHomeError(error, path);
	}
}
