import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { AppError } from "#base/app-error.ts";

/** A living listener answers at once; one whose queue is full is alive too. */
const PROBE_TIMEOUT_MS = 2000;

/** `absent`: no file. `stale`: a file nobody listens on. `live`: somebody does, or may. */
export type SocketState = "absent" | "stale" | "live";

/** Finds out by connecting; doubt counts as live. */
export function probeSocket(path: string): Promise<SocketState> {
	return new Promise((resolve) => {
		const socket = connect(path);
		function settle(state: SocketState): void {
			socket.destroy();
			resolve(state);
		}
		socket.setTimeout(PROBE_TIMEOUT_MS, () => settle("live"));
		socket.once("connect", () => settle("live"));
		socket.once("error", (error: NodeJS.ErrnoException) => {
			if (error.code === "ENOENT") settle("absent");
			else settle(error.code === "ECONNREFUSED" ? "stale" : "live");
		});
	});
}

/** Flag of listening sockets in /proc/net/unix (__SO_ACCEPTCON). */
const LISTENING = "00010000";

function listeningInode(path: string): string | undefined {
	for (const line of readFileSync("/proc/net/unix", "utf8").split("\n")) {
		const fields = line.split(/\s+/);
		if (fields.slice(7).join(" ") === path && fields[3] === LISTENING) return fields[6];
	}
	return undefined;
}

function holdsInode(pid: string, inode: string): boolean {
	try {
		return readdirSync(`/proc/${pid}/fd`).some(
			(fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`,
		);
	} catch {
		return false;
	}
}

/** The process that listens on a Unix socket, as far as this user may see (Linux); undefined elsewhere. */
export function findSocketHolder(path: string): { pid: number; command: string } | undefined {
	if (process.platform !== "linux") return undefined;
	try {
		const inode = listeningInode(path);
		if (inode === undefined) return undefined;
		const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && holdsInode(name, inode));
		if (pid === undefined) return undefined;
		const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
		return { pid: Number(pid), command: command.slice(0, 200) };
	} catch {
		return undefined;
	}
}

/**
 * Makes room for a listener: removes a socket nobody listens on, never a live one, and nothing that is not a socket.
 * @throws AppError SOCKET_IN_USE naming the holder.
 */
export async function claimSocket(path: string): Promise<void> {
	const present = lstatSync(path, { throwIfNoEntry: false });
	if (!present) return;
	if (!present.isSocket())
		throw new AppError("SOCKET_IN_USE", `${path} is in the way and is no socket.`, { data: { path } });
	const state = await probeSocket(path);
	if (state === "stale") rmSync(path, { force: true });
	if (state !== "live") return;
	const holder = findSocketHolder(path);
	const who = holder ? `pid ${holder.pid} (${holder.command})` : "a process that cannot be seen from here";
	throw new AppError("SOCKET_IN_USE", `${path} is held by ${who}.`, {
		data: { path, ...(holder ? { pid: holder.pid } : {}) },
	});
}
