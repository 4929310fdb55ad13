import { lstatSync, readFileSync } from "node:fs";
import { isInside } from "../../policy/protected.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the kernel lists sockets with the paths they were bound to (Linux). */
const KERNEL_LIST = "/proc/net/unix";

/**
 * Sockets of other programs that a command in the sandbox could reach by their path: editors, key agents, container
 * engines take orders there, and neither a read-only mount nor an empty network keeps a command from connecting.
 * Those that the kernel lists for this machine, and those that variables of `env` name (a container's may be from outside).
 * Sockets in a folder of `own` are the workspace's and stay.
 */
export function listForeignSockets(env: Env, own: readonly string[]): string[] {
	const paths = new Set([...listBoundPaths(readKernelList()), ...Object.values(env).flatMap(socketPathIn)]);
	return [...paths].filter((path) => !own.some((folder) => isInside(path, folder)) && isSocket(path));
}

/** The absolute paths in the kernel's list; abstract sockets are the network namespace's. */
export function listBoundPaths(list: string): string[] {
	return list.split("\n").flatMap((line) => /^(?:\S+\s+){7}(\/.*)$/.exec(line)?.[1] ?? []);
}

/** As in SSH_AUTH_SOCK=/x, DOCKER_HOST=unix:///x, DBUS_SESSION_BUS_ADDRESS=unix:path=/x,guid=1, TMUX=/x,1,0. */
function socketPathIn(value: string | undefined): string[] {
	return /^(?:unix:(?:path=|\/\/)?)?(\/[^,;]*)/.exec(value ?? "")?.[1]?.split("\0", 1) ?? [];
}

function readKernelList(): string {
	try {
		return readFileSync(KERNEL_LIST, "utf8");
	} catch {
		return "";
	}
}

function isSocket(path: string): boolean {
	try {
		return lstatSync(path).isSocket();
	} catch {
		return false;
	}
}
