import { chmod, mkdir } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { AppError } from "#base/app-error.ts";
import type { CodexUpgrades } from "#daemon/gateway/codex-upgrade.ts";
import { claimSocket } from "#daemon/lifecycle/socket-claim.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import type { CodexLink } from "../link.ts";
import { CONNECTIONS_MAX } from "./limits.ts";
import { createLineLink } from "./line-wire.ts";

export interface CodexSocketOptions {
	/** 107 bytes at most. */
	path: string;
	facade: { connect(link: CodexLink): Disposable };
	/** Serves the clients that begin with HTTP. */
	upgrades: CodexUpgrades;
	logger: Logger;
	/** For tests; absent: long enough for any client. */
	openingMs?: number;
}

/** `$HOMIE_HOME/codex.sock`. Disposing ends its connections and removes the socket. */
export interface CodexSocket extends AsyncDisposable {
	readonly path: string;
	readonly connections: number;
}

/** A connection that has not said by then what it speaks, or not finished its upgrade, makes room for others. */
const OPENING_MS = 30_000;
const OPENING_BYTES = new Set([..."{[ \t\r\n"].map((char) => char.charCodeAt(0)));

async function listenAt(server: Server, path: string): Promise<void> {
	try {
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	} catch (cause) {
		throw new AppError("HOME_NOT_WRITABLE", `The folder of ${path} cannot be used.`, { cause });
	}
	await claimSocket(path);
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) =>
			reject(new AppError("SOCKET_IN_USE", `Cannot listen on ${path}.`, { cause, data: { path } })),
		);
		server.listen(path, resolve);
	});
	await chmod(path, 0o600);
}

/**
 * Serves the Codex protocol on a Unix socket for this user only: WebSocket as `codex --remote unix://` speaks it, and JSON
 * lines for programs that pipe. @throws AppError SOCKET_IN_USE when somebody lives there; HOME_NOT_WRITABLE.
 */
export async function createCodexSocket({
	path,
	facade,
	upgrades,
	logger,
	openingMs = OPENING_MS,
}: CodexSocketOptions): Promise<CodexSocket> {
	const open = new Set<Socket>();
	let count = 0;
	const http = createHttpServer((_request, response) => {
		response.writeHead(426, { "content-type": "text/plain", connection: "close" });
		response.end("This is the Codex app-server protocol: upgrade to WebSocket.\n");
	});
	http.on("upgrade", (request, socket, head) => {
		opened(socket);
		upgrades.accept(request, socket, head, "unix");
	});
	const opening = new Map<Duplex, NodeJS.Timeout>();

	function opened(socket: Duplex): void {
		clearTimeout(opening.get(socket));
		opening.delete(socket);
	}

	function serveLines(socket: Socket): void {
		opened(socket);
		count += 1;
		const link = createLineLink({ label: `unix #${count}`, kind: "unix", input: socket, output: socket });
		const served = facade.connect(link);
		link.onClose(() => served[Symbol.dispose]());
	}

	/** Read without letting it flow: what was read goes back to whoever serves the connection. */
	function begin(socket: Socket): void {
		const first: Buffer | null = socket.read();
		if (first === null) {
			socket.once("readable", () => begin(socket));
			return;
		}
		socket.unshift(first);
		if (first[0] !== undefined && OPENING_BYTES.has(first[0])) serveLines(socket);
		else http.emit("connection", socket);
	}

	const server = createServer((socket) => {
		socket.on("error", (error) => logger.debug("a codex connection broke", { error: error.message }));
		open.add(socket);
		socket.on("close", () => {
			opened(socket);
			open.delete(socket);
		});
		if (open.size > CONNECTIONS_MAX) {
			socket.destroy();
			return;
		}
		opening.set(
			socket,
			setTimeout(() => socket.destroy(), openingMs),
		);
		begin(socket);
	});
	await listenAt(server, path);
	server.on("error", (error) => logger.error("the codex socket failed", { error: error.message }));

	return {
		path,
		get connections() {
			return open.size;
		},
		async [Symbol.asyncDispose]() {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			for (const socket of open) socket.destroySoon();
			await closed;
			http.close();
		},
	};
}
