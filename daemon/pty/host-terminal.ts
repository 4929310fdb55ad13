import { type IPty, spawn } from "node-pty";
import { AppError } from "#base/app-error.ts";
import { createByteRing } from "#base/ring-buffer.ts";
import { encodeHostBytes, HOST_FRAME } from "#client/attach/host-frame.ts";
import type { HostEvent, HostTerminal } from "#client/attach/host-message.ts";
import { type AttachLink, createAttachLink, type LinkOptions } from "./attach-link.ts";
import { holdsQuery } from "./escape-scan.ts";
import { assertSize, checkLaunch, type Launch } from "./launch-check.ts";
import type { ScreenLines, ScreenPool } from "./screen-pool.ts";

/** Raw output kept per terminal, for resuming clients. */
const RING_BYTES = 2 * 1024 * 1024;
/** A program that ignores SIGHUP gets SIGKILL after this. */
const KILL_GRACE_MS = 3_000;
/** node-pty drops what it has not read 200 ms after the program's end, so a held program is looked at this often. */
const HOLD_CHECK_MS = 80;

export interface TerminalSpec extends Launch {
	terminalId: string;
	name: string;
	createdBy: string;
	createdAtMs: number;
}

/** One PTY with everybody attached to it. The driver rule lives here: one link types and sizes, the others watch. */
export interface LiveTerminal {
	record(): HostTerminal;
	attach(options: LinkOptions, start: { takeover: boolean; fromOffset: number | undefined }): AttachLink;
	detach(link: AttachLink): void;
	/** Typed by an attached client. */
	typed(link: AttachLink, bytes: Uint8Array): void;
	sized(link: AttachLink, cols: number, rows: number): void;
	/** @throws AppError NOT_DRIVER when another client than `client` drives; TERMINAL_CLOSED. */
	input(client: string, data: Uint8Array): void;
	resize(client: string, cols: number, rows: number): void;
	rename(name: string): void;
	kill(): void;
	lines(): Promise<ScreenLines>;
	/** Frees the ring and the emulator of an ended terminal. */
	dispose(): void;
}

interface TerminalPorts {
	screens: ScreenPool;
	nowMs(): number;
	/** The record changed. */
	onChange(terminal: LiveTerminal): void;
}

/** @throws AppError PTY_SPAWN_FAILED, INVALID_PARAMS; nothing is left behind then. */
export function createLiveTerminal(spec: TerminalSpec, ports: TerminalPorts): LiveTerminal {
	const pty = spawnChecked(spec);
	const ring = createByteRing(RING_BYTES);
	const links: AttachLink[] = [];
	let name = spec.name;
	let size = { cols: spec.cols, rows: spec.rows };
	let title: string | null = null;
	let driver: { link: AttachLink; sinceMs: number } | undefined;
	let exit: { code: number; signal: number | null } | undefined;
	const flow = createFlow(pty);
	const screen = ports.screens.open(spec.terminalId, size, {
		onAnswer: (data) => {
			if (!exit) pty.write(data);
		},
		onTitle: (next) => {
			title = next;
			ports.onChange(terminal);
		},
		onBacklog: (over) => (over ? flow.hold(screenHolder) : flow.release(screenHolder)),
	});
	const screenHolder = {};

	function received(bytes: Buffer): void {
		const offset = ring.endOffset;
		ring.append(bytes);
		let frame: Uint8Array | undefined;
		const encoded = (): Uint8Array => (frame ??= encodeHostBytes(HOST_FRAME.output, offset, bytes));
		for (const link of links) link.output(offset, bytes.length, encoded);
		screen.push(bytes, driver === undefined);
	}
	// With encoding null node-pty hands out Buffers, whatever its types say.
	pty.onData((data) => received(data as unknown as Buffer));
	pty.onExit(({ exitCode, signal }) => {
		exit = { code: exitCode, signal: signal === undefined || signal === 0 ? null : signal };
		flow.stop();
		screen.flush();
		for (const link of [...links]) link.finish({ event: "exit", exit_code: exit.code, signal: exit.signal });
		ports.onChange(terminal);
	});

	function applySize(next: { cols: number; rows: number }): void {
		if (exit || (next.cols === size.cols && next.rows === size.rows)) return;
		size = next;
		pty.resize(next.cols, next.rows);
		screen.resize(next.cols, next.rows);
		tell({ event: "size", ...next });
	}
	function tell(event: HostEvent): void {
		for (const link of links) link.send(event);
	}
	function setDriver(link: AttachLink | undefined): void {
		const before = driver?.link;
		driver = link && { link, sinceMs: ports.nowMs() };
		if (link?.size) applySize(link.size);
		const label = link?.options.device ?? null;
		before?.send({ event: "mode", mode: "watch", driver: label });
		link?.send({ event: "mode", mode: "drive", driver: label });
	}
	function assertMayType(client: string): void {
		if (exit) throw new AppError("TERMINAL_CLOSED", `The program of terminal ${name} has ended.`);
		if (driver && driver.link.options.client !== client) {
			throw new AppError("NOT_DRIVER", `Terminal ${name} is driven by ${driver.link.options.device}.`);
		}
	}

	const terminal: LiveTerminal = {
		record: () => ({
			terminal_id: spec.terminalId,
			name,
			argv: [...spec.argv],
			cwd: spec.cwd,
			...size,
			created_by: spec.createdBy,
			created_at_ms: spec.createdAtMs,
			pid: pty.pid,
			status: exit ? "exited" : "running",
			exit_code: exit?.code ?? null,
			signal: exit?.signal ?? null,
			title,
			driver: driver ? { client: driver.link.options.client, device: driver.link.options.device, since_ms: driver.sinceMs } : null,
			watchers: links.length - (driver ? 1 : 0),
		}),
		attach(options, { takeover, fromOffset }) {
			const link = createAttachLink(options, {
				endOffset: () => ring.endOffset,
				readFrom: (offset) => ring.readFrom(offset),
				paint: async (kind) => (kind === "text" ? textOf(await screen.lines()) : screen.paint(kind)),
				hold: flow.hold,
				release: flow.release,
			});
			links.push(link);
			const drives = options.mode === "drive" && (!driver || takeover);
			if (drives) setDriver(link);
			else link.send({ event: "mode", mode: "watch", driver: driver?.link.options.device ?? null });
			link.start(replayable(fromOffset, options) ? fromOffset : undefined);
			if (exit) link.finish({ event: "exit", exit_code: exit.code, signal: exit.signal });
			ports.onChange(terminal);
			return link;
		},
		detach(link) {
			const at = links.indexOf(link);
			if (at < 0) return;
			links.splice(at, 1);
			link.close();
			if (driver?.link === link) setDriver(links.find((other) => other.options.mode === "drive"));
			ports.onChange(terminal);
		},
		typed(link, bytes) {
			if (driver?.link === link) {
				if (!exit) pty.write(Buffer.from(bytes));
			} else link.send({ event: "refused", code: "NOT_DRIVER", message: "Another client drives this terminal." });
		},
		sized(link, cols, rows) {
			assertSize(cols, rows);
			link.size = { cols, rows };
			if (driver?.link !== link) return;
			applySize(link.size);
			ports.onChange(terminal);
		},
		input(client, data) {
			assertMayType(client);
			pty.write(Buffer.from(data));
		},
		resize(client, cols, rows) {
			assertSize(cols, rows);
			assertMayType(client);
			if (driver) driver.link.size = { cols, rows };
			applySize({ cols, rows });
			ports.onChange(terminal);
		},
		rename(next) {
			name = next;
			ports.onChange(terminal);
		},
		kill() {
			if (exit) return;
			signalGroup(pty.pid, "SIGHUP");
			signalGroup(pty.pid, "SIGCONT");
			setTimeout(() => {
				if (!exit) signalGroup(pty.pid, "SIGKILL");
			}, KILL_GRACE_MS).unref();
		},
		lines: () => screen.lines(),
		dispose: () => screen[Symbol.dispose](),
	};
	/** Bytes that hold a query are never shown a second time: their answer would be typed into the program. */
	function replayable(fromOffset: number | undefined, options: LinkOptions): boolean {
		const bytes = fromOffset === undefined ? undefined : ring.readFrom(fromOffset);
		return bytes !== undefined && (options.lossless || !holdsQuery(bytes));
	}
	return terminal;
}

function textOf({ lines }: ScreenLines): Uint8Array {
	const text = lines.join("\n").trimEnd();
	return Buffer.from(text === "" ? "" : `${text}\n`);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
	try {
		// forkpty made the program the leader of its own group.
		process.kill(-pid, signal);
	} catch {
		// Gone already: that is what was wanted.
	}
}

function spawnChecked(spec: TerminalSpec): IPty {
	const file = checkLaunch(spec);
	try {
		return spawn(file, spec.argv.slice(1), {
			name: spec.env["TERM"] ?? "xterm-256color",
			cols: spec.cols,
			rows: spec.rows,
			cwd: spec.cwd,
			env: { ...spec.env },
			encoding: null,
		});
	} catch (error) {
		throw new AppError("PTY_SPAWN_FAILED", "The system gave no new terminal.", { cause: error });
	}
}

/** Holds the program while anybody needs it held; never past its end, when node-pty would drop what is left. */
function createFlow(pty: IPty) {
	const holders = new Set<object>();
	let check: NodeJS.Timeout | undefined;
	let stopped = false;

	function go(): void {
		clearInterval(check);
		check = undefined;
		pty.resume();
	}
	function isAlive(): boolean {
		try {
			process.kill(pty.pid, 0);
			return true;
		} catch {
			return false;
		}
	}
	return {
		hold(holder: object): void {
			if (stopped) return;
			holders.add(holder);
			if (check) return;
			pty.pause();
			check = setInterval(() => {
				if (isAlive()) return;
				stopped = true;
				go();
			}, HOLD_CHECK_MS);
		},
		release(holder: object): void {
			if (holders.delete(holder) && holders.size === 0 && check) go();
		},
		stop(): void {
			stopped = true;
			clearInterval(check);
			check = undefined;
		},
	};
}
