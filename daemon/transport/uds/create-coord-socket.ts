import { chmod, mkdir } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { AppError } from "#base/app-error.ts";
import { claimSocket } from "../../lifecycle/socket-claim.ts";
import { type ConnectionOptions, serveConnection } from "./connection.ts";
import { encodeError, WireError } from "./wire.ts";

/** Programs of one person at once; far above use, below the usual limit of open files. */
const CONNECTIONS_MAX = 512;

export interface CoordSocketOptions extends ConnectionOptions {
	/** 107 bytes at most. */
	path: string;
}

export interface CoordSocket extends AsyncDisposable {
	readonly connections: number;
}

async function makePrivateFolder(folder: string): Promise<void> {
	try {
		await mkdir(folder, { recursive: true, mode: 0o700 });
		await chmod(folder, 0o700);
	} catch (cause) {
		throw new AppError("HOME_NOT_WRITABLE", `The folder ${folder} cannot be used.`, { cause });
	}
}

function listen(server: Server, path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", (cause) =>
			reject(new AppError("SOCKET_IN_USE", `Cannot listen on ${path}.`, { cause, data: { path } })),
		);
		server.listen(path, resolve);
	});
}

/**
 * Serves the weave envelope protocol on a Unix socket (0600 in a 0700 folder). Disposing ends the connections, takes
 * their agents out and removes the socket; dispose it before the bus.
 * @throws AppError SOCKET_IN_USE when somebody lives there; HOME_NOT_WRITABLE.
 */
export async function createCoordSocket(options: CoordSocketOptions): Promise<CoordSocket> {
	const { path, clock, logger, telemetry } = options;
	const open = new Map<Socket, Promise<void>>();
	await makePrivateFolder(dirname(path));
	await claimSocket(path);

	const server = createServer({ allowHalfOpen: true }, (socket) => {
		socket.on("error", (error) => logger.debug("a weave connection broke", { error: error.message }));
		if (open.size >= CONNECTIONS_MAX) {
			socket.end(
				encodeError(
					new WireError("too_many_connections", "Too many connections are open."),
					clock.nowMs(),
					undefined,
				),
			);
			return;
		}
		const served = serveConnection(socket, options).finally(() => open.delete(socket));
		open.set(socket, served);
	});
	await listen(server, path);
	await chmod(path, 0o600);
	server.on("error", (error) => logger.error("the weave socket failed", { error: error.message }));
	const gauge = telemetry.gauge("weave_socket_connections", () => open.size);

	return {
		get connections() {
			return open.size;
		},
		async [Symbol.asyncDispose]() {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			const served = [...open.values()];
			for (const socket of open.keys()) socket.destroy();
			await Promise.all(served);
			await closed;
			gauge[Symbol.dispose]();
		},
	};
}
