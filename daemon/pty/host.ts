import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { AppError, toAppError } from "#base/app-error.ts";
import {
	createHostFrameReader,
	encodeHostJson,
	HOST_FIRST_FRAME_BYTES,
	HOST_FRAME,
	HOST_FRAME_BYTES,
	HOST_INPUT_FRAME_BYTES,
	HOST_PROTOCOL,
	type HostFrameReader,
	parseHostJson,
	parseHostOffset,
	parseHostResize,
} from "#client/attach/host-frame.ts";
import { type AttachHello, commonVersion, parseHostHello } from "#client/attach/host-message.ts";
import type { AttachLink, LinkOptions } from "./attach-link.ts";
import { createHostControl, type Ticket } from "./host-control.ts";
import type { LiveTerminal } from "./host-terminal.ts";
import { assertSize } from "./launch-check.ts";
import { createScreenPool } from "./screen-pool.ts";

/** A peer that says nothing is closed after this. */
const HELLO_TIMEOUT_MS = 5_000;
/** A host that nobody ever asked for anything ends after this. */
const FIRST_DAEMON_MS = 10_000;
const TICKET_TTL_MS = 30_000;

export interface EndedTerminal {
	terminal_id: string;
	exit_code: number | null;
	signal: number | null;
}

export interface PtyHostOptions {
	/** Where the daemon's secret is read, at each control connection. */
	readSecret(): Buffer;
	screenWorker: URL;
	version: string;
	nowMs(): number;
	log(line: string): void;
}

export interface PtyHost {
	listen(socketPath: string): Promise<void>;
	/** Resolves when nothing is held and no daemon is connected; with what ended and no daemon has seen. */
	readonly done: Promise<EndedTerminal[]>;
	close(): Promise<void>;
}

interface Peer {
	socket: Socket;
	reader: HostFrameReader;
	onFrame(type: number, body: Uint8Array): void;
	onClose(): void;
}

function assertSecret(given: Uint8Array, wanted: Uint8Array): void {
	if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
		throw new AppError("AUTH_REQUIRED", "The pty-host's secret is wrong.");
}

/** The PTY masters' only home: serves daemons (control) and clients (attach) on one socket. */
export function createPtyHost(options: PtyHostOptions): PtyHost {
	const terminals = new Map<string, LiveTerminal>();
	const tickets = createTicketBook(options.nowMs);
	const daemons = new Set<Socket>();
	const sockets = new Set<Socket>();
	const done = Promise.withResolvers<EndedTerminal[]>();
	const screens = createScreenPool(options.screenWorker, (error) =>
		options.log(`screen worker failed: ${error.message}`),
	);
	let waitedForDaemon = false;

	function settle(): void {
		if (!waitedForDaemon || daemons.size > 0) return;
		const records = [...terminals.values()].map((terminal) => terminal.record());
		if (records.some((record) => record.status === "running")) return;
		done.resolve(records.map(({ terminal_id, exit_code, signal }) => ({ terminal_id, exit_code, signal })));
	}
	function broadcast(terminal: LiveTerminal): void {
		const frame = encodeHostJson(HOST_FRAME.event, { event: "terminal", terminal: terminal.record() });
		for (const daemon of daemons) daemon.write(frame);
		settle();
	}
	const control = createHostControl({
		terminals,
		screens,
		nowMs: options.nowMs,
		broadcast,
		issueTicket: tickets.issue,
	});

	function acceptDaemon(peer: Peer, secret: string, version: number): void {
		assertSecret(Buffer.from(secret, "hex"), options.readSecret());
		waitedForDaemon = true;
		daemons.add(peer.socket);
		peer.reader.setLimit(HOST_FRAME_BYTES);
		peer.socket.write(encodeHostJson(HOST_FRAME.hello, { version, host: options.version, pid: process.pid }));
		peer.onFrame = (type, body) => {
			if (type !== HOST_FRAME.request)
				throw new AppError("PROTOCOL_INVALID_FRAME", `Frame type ${type} is not for control.`);
			control.answer(parseHostJson(body)).then(
				(reply) => peer.socket.write(encodeHostJson(HOST_FRAME.response, reply)),
				// Without an id there is nothing to answer to.
				() => peer.socket.destroy(),
			);
		};
		peer.onClose = () => {
			daemons.delete(peer.socket);
			settle();
		};
	}
	function acceptClient(peer: Peer, hello: AttachHello, version: number): void {
		if (hello.cols !== undefined && hello.rows !== undefined) assertSize(hello.cols, hello.rows);
		const ticket = tickets.redeem(hello.ticket);
		const terminal = terminals.get(ticket.terminalId);
		if (!terminal) throw new AppError("TERMINAL_NOT_FOUND", "The terminal is gone.");
		peer.reader.setLimit(HOST_INPUT_FRAME_BYTES);
		peer.socket.write(
			encodeHostJson(HOST_FRAME.hello, { version, host: options.version, terminal: terminal.record() }),
		);
		const link = terminal.attach(linkOptions(peer.socket, ticket, hello, options.nowMs()), {
			takeover: ticket.takeover,
			fromOffset: hello.fromOffset,
		});
		peer.onFrame = (type, body) => attachedFrame(terminal, link, type, body);
		peer.onClose = () => terminal.detach(link);
	}
	function greet(peer: Peer, type: number, body: Uint8Array): void {
		if (type !== HOST_FRAME.hello) throw new AppError("PROTOCOL_OUT_OF_ORDER", "A hello comes first.");
		const value = parseHostJson(body);
		const version = commonVersion(HOST_PROTOCOL, value);
		const hello = parseHostHello(value);
		if (hello.role === "control") acceptDaemon(peer, hello.secret, version);
		else acceptClient(peer, hello, version);
	}
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		receive(socket, greet);
	});
	return {
		done: done.promise,
		listen: (socketPath) =>
			new Promise((resolve, reject) => {
				server.once("error", reject);
				server.listen(socketPath, () => {
					setTimeout(() => {
						waitedForDaemon = true;
						settle();
					}, FIRST_DAEMON_MS).unref();
					resolve();
				});
			}),
		async close() {
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
				for (const socket of sockets) socket.destroySoon();
			});
			await screens[Symbol.asyncDispose]();
		},
	};
}

/** @throws AppError PROTOCOL_INVALID_FRAME, INVALID_PARAMS; then the link is closed. */
function attachedFrame(terminal: LiveTerminal, link: AttachLink, type: number, body: Uint8Array): void {
	switch (type) {
		case HOST_FRAME.input:
			terminal.typed(link, body);
			return;
		case HOST_FRAME.resize: {
			const { cols, rows } = parseHostResize(body);
			terminal.sized(link, cols, rows);
			return;
		}
		case HOST_FRAME.ack:
			link.ack(parseHostOffset(body));
			return;
		case HOST_FRAME.resync:
			link.resync();
			return;
		default:
			throw new AppError("PROTOCOL_INVALID_FRAME", `Frame type ${type} is not for attached clients.`);
	}
}

function linkOptions(
	socket: Socket,
	ticket: Ticket,
	{ cols, rows, paint }: AttachHello,
	sinceMs: number,
): LinkOptions {
	return {
		socket,
		client: ticket.client,
		device: ticket.device,
		mode: ticket.mode,
		paint,
		lossless: paint === "none" && ticket.mode === "drive",
		size: cols !== undefined && rows !== undefined ? { cols, rows } : undefined,
		sinceMs,
	};
}

/** Single-use rights to attach. */
function createTicketBook(nowMs: () => number) {
	const tickets = new Map<string, Ticket & { expiresAtMs: number }>();
	return {
		issue(ticket: Ticket): string {
			const now = nowMs();
			for (const [key, old] of tickets) if (old.expiresAtMs <= now) tickets.delete(key);
			const key = randomBytes(32).toString("hex");
			tickets.set(key, { ...ticket, expiresAtMs: now + TICKET_TTL_MS });
			return key;
		},
		/** @throws AppError AUTH_REQUIRED. */
		redeem(key: string): Ticket {
			const ticket = tickets.get(key);
			tickets.delete(key);
			if (!ticket || ticket.expiresAtMs <= nowMs())
				throw new AppError("AUTH_REQUIRED", "The attach ticket is unknown, used or expired.");
			return ticket;
		},
	};
}

/** Reads a peer's frames; the first goes to `greet`, which says where the others go. What is refused ends the connection. */
function receive(socket: Socket, greet: (peer: Peer, type: number, body: Uint8Array) => void): void {
	const timeout = setTimeout(() => socket.destroy(), HELLO_TIMEOUT_MS);
	const peer: Peer = {
		socket,
		reader: createHostFrameReader(HOST_FIRST_FRAME_BYTES, (type, body) => peer.onFrame(type, body)),
		onFrame(type, body) {
			clearTimeout(timeout);
			greet(peer, type, body);
		},
		onClose: () => undefined,
	};
	socket.on("error", () => socket.destroy());
	socket.on("close", () => {
		clearTimeout(timeout);
		peer.onClose();
	});
	socket.on("data", (chunk) => {
		try {
			peer.reader.push(chunk);
		} catch (thrown) {
			const { code, message } = toAppError(thrown);
			socket.end(encodeHostJson(HOST_FRAME.event, { event: "refused", code, message }));
		}
	});
}
