import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { AppError } from "#base/app-error.ts";
import { claimSocket } from "#daemon/lifecycle/socket-claim.ts";
import type { Paths } from "#platform/paths.ts";
import { readToken } from "#platform/token.ts";
import type { ListenAddress } from "./listen-address.ts";

/** A place beside codex.sock where the protocol is served. */
export interface ExtraListener extends AsyncDisposable {
	readonly address: string;
}

interface ExtraListenerOptions {
	paths: Pick<Paths, "codexSocket" | "token">;
	/** Holds the bearer of TCP clients; undefined: the daemon's own token. */
	tokenFile: string | undefined;
}

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

function listen(server: Server, where: string | { host: string; port: number }): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", (cause) => {
			const name = typeof where === "string" ? where : `${where.host}:${where.port}`;
			const code = typeof where === "string" ? "SOCKET_IN_USE" : "PORT_IN_USE";
			reject(new AppError(code, `Cannot listen on ${name}.`, { cause }));
		});
		if (typeof where === "string") server.listen(where, resolve);
		else server.listen({ ...where, exclusive: true }, resolve);
	});
}

function closeWith(server: Server, open: ReadonlySet<Socket>): () => Promise<void> {
	return async () => {
		const closed = new Promise<void>((resolve) => server.close(() => resolve()));
		for (const socket of open) socket.destroy();
		await closed;
	};
}

function join(client: NodeJS.ReadWriteStream, daemon: Socket): void {
	pipeline(client, daemon, () => daemon.destroySoon());
	pipeline(daemon, client, () => undefined);
}

async function openUnix(path: string, codexSocket: string): Promise<ExtraListener> {
	const open = new Set<Socket>();
	const server = createServer((socket) => {
		open.add(socket);
		socket.on("close", () => open.delete(socket));
		join(socket, connect(codexSocket));
	});
	await claimSocket(path);
	await listen(server, path);
	await chmod(path, 0o600);
	return { address: `unix://${path}`, [Symbol.asyncDispose]: closeWith(server, open) };
}

function digest(text: string): Buffer {
	return createHash("sha256").update(text, "utf8").digest();
}

function readSecret({ paths, tokenFile }: ExtraListenerOptions): string {
	if (tokenFile === undefined) return readToken(paths);
	const secret = readFileSync(tokenFile, "utf8").trim();
	if (secret === "") throw new AppError("AUTH_REQUIRED", `The token file ${tokenFile} is empty.`);
	return secret;
}

/** The request as it came, without what was for this listener alone. */
function headOf(request: IncomingMessage): string {
	const lines = [`GET /rpc HTTP/1.1`];
	for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
		const name = request.rawHeaders[at] ?? "";
		if (name.toLowerCase() !== "authorization") lines.push(`${name}: ${request.rawHeaders[at + 1]}`);
	}
	return `${lines.join("\r\n")}\r\n\r\n`;
}

async function openTcp(
	{ host, port }: { host: string; port: number },
	options: ExtraListenerOptions,
): Promise<ExtraListener> {
	const expected = digest(readSecret(options));
	const open = new Set<Socket>();
	const server = createHttpServer((request, response) => {
		const known = request.url === "/readyz" || request.url === "/healthz";
		response.writeHead(known ? 200 : 404).end();
	});
	server.on("connection", (socket: Socket) => {
		open.add(socket);
		socket.on("close", () => open.delete(socket));
	});

	function refusal(request: IncomingMessage): string | undefined {
		const { port: bound } = server.address() as { port: number };
		const names = [...LOOPBACK_NAMES, host, `[${host}]`].map((name) => `${name}:${bound}`);
		if (request.headers.origin !== undefined || !names.includes(request.headers.host ?? ""))
			return "403 Forbidden";
		const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
		return timingSafeEqual(digest(bearer), expected) ? undefined : "401 Unauthorized";
	}
	server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
		socket.on("error", () => undefined);
		const refused = refusal(request);
		if (refused !== undefined) {
			socket.end(`HTTP/1.1 ${refused}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
			return;
		}
		const daemon = connect(options.paths.codexSocket);
		daemon.write(headOf(request));
		if (head.length > 0) daemon.write(head);
		join(socket, daemon);
	});
	await listen(server, { host, port });
	const bound = server.address() as { port: number };
	const shown = host.includes(":") ? `[${host}]` : host;
	return { address: `ws://${shown}:${bound.port}`, [Symbol.asyncDispose]: closeWith(server, open) };
}

/**
 * Serves codex.sock's protocol at another place too; undefined where `--listen` names none. Call when the daemon answers.
 * @throws AppError SOCKET_IN_USE, PORT_IN_USE, AUTH_REQUIRED.
 */
export async function openExtraListener(
	address: ListenAddress,
	options: ExtraListenerOptions,
): Promise<ExtraListener | undefined> {
	if (address.kind === "unix" && address.path !== null && address.path !== options.paths.codexSocket)
		return openUnix(address.path, options.paths.codexSocket);
	if (address.kind === "tcp") return openTcp(address, options);
	return undefined;
}
