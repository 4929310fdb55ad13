import { chmod, mkdir, stat, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import { connect, type ListenOptions } from "node:net";
import { dirname } from "node:path";
import { AppError } from "#base/app-error.ts";
import { DEFAULT_PORT } from "#protocol/limits.ts";

const LOOPBACK = "127.0.0.1";

function errorCode(thrown: unknown): string {
	return typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
}

function listen(server: Server, options: ListenOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(options, () => {
			server.off("error", reject);
			resolve();
		});
	});
}

/** True when somebody accepts connections at `path`. */
function isAlive(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(path);
		socket.once("connect", () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", (error) =>
			resolve(errorCode(error) !== "ECONNREFUSED" && errorCode(error) !== "ENOENT"),
		);
	});
}

/** The short runtime folder may lie in /tmp, where somebody else could have made it first. */
async function assertOwn(folder: string): Promise<void> {
	const { uid, mode } = await stat(folder);
	const own = process.getuid?.() ?? uid;
	if (uid !== own || (mode & 0o022) !== 0)
		throw new AppError(
			"HOME_NOT_WRITABLE",
			`${folder} must belong to this user and be writable by nobody else.`,
		);
}

/**
 * Serves on a Unix socket for this user only: 0600 in a 0700 folder. What a crashed daemon left is replaced.
 * @throws AppError SOCKET_IN_USE when a living process holds it, HOME_NOT_WRITABLE.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
	try {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		await assertOwn(dirname(path));
		try {
			await listen(server, { path });
		} catch (error) {
			if (errorCode(error) !== "EADDRINUSE") throw error;
			if (await isAlive(path)) throw new AppError("SOCKET_IN_USE", `${path} is held by a living process.`);
			await unlink(path);
			await listen(server, { path });
		}
		await chmod(path, 0o600);
	} catch (error) {
		if (error instanceof AppError) throw error;
		throw new AppError("HOME_NOT_WRITABLE", `The socket ${path} cannot be made (${errorCode(error)}).`, {
			cause: error,
		});
	}
}

/**
 * Serves on loopback TCP and returns the port: the configured one, or 9800, or a free one when 9800 is taken.
 * @throws AppError PORT_IN_USE for a configured port that is taken.
 */
export async function listenTcp(server: Server, configured: number | undefined): Promise<number> {
	try {
		await listen(server, { host: LOOPBACK, port: configured ?? DEFAULT_PORT, exclusive: true });
	} catch (error) {
		if (configured !== undefined)
			throw new AppError("PORT_IN_USE", `Port ${configured} cannot be used (${errorCode(error)}).`, {
				cause: error,
			});
		await listen(server, { host: LOOPBACK, port: 0, exclusive: true });
	}
	const address = server.address();
	if (typeof address !== "object" || address === null) throw new Error("a TCP listener has no port");
	return address.port;
}
