import { lstatSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSameProcess, parseProcessIdentity } from "#platform/identity.ts";
import type { Paths } from "#platform/paths.ts";
import { acquireInstanceLock } from "./instance-lock.ts";
import { probeSocket } from "./socket-claim.ts";

async function removeStale(path: string): Promise<void> {
	if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() && (await probeSocket(path)) === "stale")
		rmSync(path, { force: true });
}

/** Runs `clean` only while nobody holds the lock, so that a daemon starting meanwhile keeps its files. */
async function whileFree(path: string, kind: "daemon" | "bus", clean: () => Promise<void>): Promise<void> {
	let lock: Disposable;
	try {
		lock = await acquireInstanceLock({ path, kind, version: "", home: dirname(path), settleMs: 100 });
	} catch {
		return;
	}
	try {
		await clean();
	} finally {
		lock[Symbol.dispose]();
	}
}

/** Removes what a killed daemon left: record, lock files, sockets nobody listens on. Does nothing while one runs. */
export async function sweepDeadDaemon(paths: Paths): Promise<void> {
	if (!lstatSync(paths.home, { throwIfNoEntry: false })) return;
	await whileFree(paths.lock, "daemon", async () => {
		rmSync(paths.discovery, { force: true });
		await removeStale(paths.daemonSocket);
		await removeStale(join(dirname(paths.daemonSocket), "codex.sock"));
	});
	if (!lstatSync(paths.weaveHome, { throwIfNoEntry: false })) return;
	await whileFree(paths.weaveLock, "bus", () => removeStale(paths.coordSocket));
}

/** Removes the record and socket of a pty-host that is gone. */
export async function sweepDeadHost(paths: Paths): Promise<void> {
	const record = join(paths.home, "pty-host.json");
	if (!readHostAlive(record)) rmSync(record, { force: true });
	await removeStale(paths.ptySocket);
}

/** False when the record is missing, unreadable, or of a process that has ended. */
function readHostAlive(record: string): boolean {
	try {
		const identity = parseProcessIdentity(JSON.parse(readFileSync(record, "utf8")));
		return identity !== undefined && isSameProcess(identity);
	} catch {
		return false;
	}
}
