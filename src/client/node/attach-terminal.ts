import { AppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import { systemClock, waitMs } from "#base/clock.ts";
import type { AttachMode, HostEvent, PaintKind } from "../attach/host-message.ts";
import { createPrefixReader, DEFAULT_PREFIX, parsePrefix, prefixLabel } from "../attach/prefix-key.ts";
import { createScreenGuard } from "../attach/screen-guard.ts";
import type { DaemonClient } from "../client.ts";
import { type AttachScreen, createAttachScreen } from "./attach-screen.ts";
import { type AttachSocket, openAttachSocket } from "./attach-socket.ts";

export interface AttachOptions {
	client: DaemonClient;
	/** Id or name. */
	terminal: string;
	mode: AttachMode;
	takeover: boolean;
	stdin: NodeJS.ReadStream;
	stdout: NodeJS.WriteStream;
	/** Where it is said how to come back; left out: said nowhere. */
	stderr?: NodeJS.WriteStream;
	/** HOMIE_PREFIX: the prefix key, `C-]` when unset. */
	env: Readonly<Record<string, string | undefined>>;
	/** Ends the attach; what it set on the terminal is taken back first. */
	signal: AbortSignal;
	/** Piped output only: from the program's first byte on, nothing left out; and the end of stdin is passed on (Ctrl+D). */
	fromStart?: boolean;
}

export type AttachEnd =
	/** 128 + the signal's number when a signal ended it. */
	{ kind: "exited"; exitCode: number } | { kind: "detached" } | { kind: "lost" };

const RETRIES = 8;
/** Ctrl+D. */
const END_OF_INPUT = 0x04;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;

/**
 * Attaches this process's terminal to a terminal of the daemon until it ends, is detached or lost. Talks to the pty-host itself, so
 * a daemon that stops meanwhile changes nothing. Leaves the person's screen and modes exactly as they were.
 * @throws AppError TERMINAL_NOT_FOUND, TERMINAL_CLOSED, NOT_DRIVER ...; the signal's reason when aborted.
 */
export async function attachTerminal(options: AttachOptions): Promise<AttachEnd> {
	const prefix = parsePrefix(options.env["HOMIE_PREFIX"] ?? DEFAULT_PREFIX);
	if (prefix === undefined)
		throw new AppError("CONFIG_INVALID", "HOMIE_PREFIX is not a control key such as C-] or C-a.");
	const first = await openLink(options, { takeover: options.takeover, fromOffset: undefined });
	const session = createSession(options, prefix, first.name);
	return await session.run(first);
}

interface Link {
	name: string;
	terminalId: string;
	/** Sends what came before the screen was ready, then all that follows. */
	begin(handlers: LinkHandlers): void;
	socket: AttachSocket;
}
interface LinkHandlers {
	onSnapshot(offset: number, bytes: Uint8Array): void;
	onOutput(offset: number, bytes: Uint8Array): void;
	onEvent(event: HostEvent): void;
	onClose(): void;
}

function paintOf(options: AttachOptions): PaintKind {
	if (options.stdout.isTTY) return "screen";
	return options.fromStart ? "none" : "text";
}

function sizeOf(stdout: NodeJS.WriteStream): { cols: number; rows: number } | undefined {
	if (!stdout.isTTY || !(stdout.columns >= 2) || !(stdout.rows >= 1)) return undefined;
	return { cols: Math.min(1000, stdout.columns), rows: Math.min(1000, stdout.rows) };
}

async function openLink(
	options: AttachOptions,
	how: { takeover: boolean; fromOffset: number | undefined },
): Promise<Link> {
	const size = sizeOf(options.stdout);
	const { ticket, socket_path, terminal } = await options.client.call("terminal.session.attach", {
		terminal: options.terminal,
		via: "ticket",
		mode: options.mode,
		takeover: how.takeover,
		...size,
	});
	if (ticket === null || socket_path === null)
		throw new AppError("HOST_UNAVAILABLE", "The daemon gave no ticket.");
	let handlers: LinkHandlers | undefined;
	const early: ((to: LinkHandlers) => void)[] = [];
	function pass(event: (to: LinkHandlers) => void): void {
		if (handlers) event(handlers);
		else early.push(event);
	}
	const socket = await openAttachSocket({
		socketPath: socket_path,
		ticket,
		size,
		paint: paintOf(options),
		fromOffset: how.fromOffset ?? (paintOf(options) === "none" ? 0 : undefined),
		handlers: {
			onSnapshot: (offset, bytes) => pass((to) => to.onSnapshot(offset, bytes)),
			onOutput: (offset, bytes) => pass((to) => to.onOutput(offset, bytes)),
			onEvent: (event) => pass((to) => to.onEvent(event)),
			onClose: () => pass((to) => to.onClose()),
		},
	});
	return {
		name: terminal.name,
		terminalId: terminal.terminal_id,
		socket,
		begin(next) {
			handlers = next;
			for (const event of early.splice(0)) event(next);
		},
	};
}

function exited({ exit_code, signal }: { exit_code: number; signal: number | null }): AttachEnd {
	return { kind: "exited", exitCode: signal === null ? exit_code : 128 + signal };
}

function resize(link: Link, stdout: NodeJS.WriteStream): void {
	const size = sizeOf(stdout);
	if (size) link.socket.resize(size.cols, size.rows);
}

/** The link broke, which does not mean that the program did. Undefined when the terminal is gone. */
async function reopen(
	options: AttachOptions,
	fromOffset: number | undefined,
	isDone: () => boolean,
): Promise<Link | undefined> {
	for (let attempt = 1; attempt <= RETRIES && !isDone(); attempt += 1) {
		try {
			await waitMs(
				systemClock,
				backoffMs(attempt, { firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS }),
				options.signal,
			);
			return await openLink(options, { takeover: false, fromOffset });
		} catch (error) {
			if (
				error instanceof AppError &&
				(error.code === "TERMINAL_CLOSED" || error.code === "TERMINAL_NOT_FOUND")
			)
				return undefined;
		}
	}
	return undefined;
}

/** A reader slower than the program stops the reading: the host sends a snapshot later, or holds the program for a pipe. */
function createPace(stdout: NodeJS.WriteStream, socket: () => AttachSocket | undefined): () => void {
	let held = false;
	return () => {
		if (held) return;
		held = true;
		socket()?.pause();
		stdout.once("drain", () => {
			held = false;
			socket()?.resume();
		});
	};
}

function createSession(options: AttachOptions, prefix: number, name: string) {
	const ended = Promise.withResolvers<AttachEnd>();
	const guard = createScreenGuard();
	const keys = createPrefixReader(prefix);
	const screen: AttachScreen = createAttachScreen(options, () => guard.keyboardDepth);
	const raw = screen.interactive;
	let link: Link | undefined;
	let offset: number | undefined;
	/** Output is not shown: a snapshot was asked for, or help covers the screen. */
	let waitingForSnapshot = false;
	let helpShown = false;
	let done = false;

	function finish(end: AttachEnd): void {
		done = true;
		ended.resolve(end);
	}
	function repaint(): void {
		waitingForSnapshot = true;
		link?.socket.resync();
	}
	const handlers: LinkHandlers = {
		onSnapshot(at, bytes) {
			offset = at;
			if (helpShown) return;
			waitingForSnapshot = false;
			guard.reset();
			write(bytes);
		},
		onOutput(at, bytes) {
			offset = at + bytes.length;
			if (waitingForSnapshot || helpShown) return;
			if (!raw) {
				write(bytes);
				return;
			}
			const guarded = guard.push(bytes);
			write(guarded.bytes);
			if (guarded.repaint) repaint();
		},
		onEvent(event) {
			if (event.event === "exit") finish(exited(event));
			else if (event.event === "refused" && raw) screen.write(Uint8Array.of(0x07));
		},
		onClose: () => {
			if (!done) void reconnect();
		},
	};
	const pace = createPace(options.stdout, () => link?.socket);
	function write(bytes: Uint8Array): void {
		if (!screen.write(bytes)) pace();
	}
	async function reconnect(): Promise<void> {
		const next = await reopen(options, offset, () => done);
		if (next) start(next);
		else if (!done) finish({ kind: "lost" });
	}
	function start(next: Link): void {
		link = next;
		next.begin(handlers);
	}
	function typed(bytes: Uint8Array): void {
		if (!raw) {
			link?.socket.input(bytes);
			return;
		}
		if (helpShown) {
			helpShown = false;
			repaint();
			return;
		}
		for (const part of keys.push(bytes)) {
			if (part.kind === "send") link?.socket.input(part.bytes);
			else if (part.kind === "help") {
				helpShown = true;
				screen.write(new TextEncoder().encode(helpText(prefix, name)));
			} else finish({ kind: "detached" });
		}
	}
	return {
		async run(first: Link): Promise<AttachEnd> {
			const onAbort = (): void => ended.reject(options.signal.reason);
			if (options.signal.aborted) onAbort();
			options.signal.addEventListener("abort", onAbort, { once: true });
			screen.open({
				onInput: typed,
				onInputEnd: () => options.fromStart && link?.socket.input(Uint8Array.of(END_OF_INPUT)),
				onResize: () => link && resize(link, options.stdout),
			});
			start(first);
			try {
				const end = await ended.promise;
				if (!raw) await screen.flush();
				return end;
			} finally {
				done = true;
				options.signal.removeEventListener("abort", onAbort);
				link?.socket.close();
				screen.close();
			}
		},
	};
}

function helpText(prefix: number, name: string): string {
	const key = prefixLabel(prefix);
	const lines = [
		`Attached to ${name}`,
		`${key} d      detach; the program goes on`,
		`${key} ${key} send ${key} to the program`,
		`${key} ?      this help`,
		"Enter ~ .     leave a dead link",
		"Any key goes back.",
	];
	return `\x1b[m\x1b[?6l\x1b[r\x1b[H\x1b[2J${lines.join("\r\n")}`;
}
