import { AppError } from "#base/app-error.ts";
import { createByteRing } from "#base/ring-buffer.ts";
import { frameHostBytes, HOST_FRAME } from "#client/attach/host-frame.ts";
import type { HostTerminal } from "#client/attach/host-message.ts";
import { type AttachLink, createAttachLink, type LinkOptions, type LinkSource } from "./attach-link.ts";
import { createDriverRule, type DriverRule } from "./driver-rule.ts";
import { holdsQuery } from "./escape-scan.ts";
import { assertSize, type Launch } from "./launch-check.ts";
import { type PtyProcess, startPtyProcess } from "./pty-process.ts";
import type { ScreenLines, ScreenPool } from "./screen-pool.ts";

/** Raw output kept per terminal, for resuming clients. */
const RING_BYTES = 2 * 1024 * 1024;

export interface TerminalSpec extends Launch {
	terminalId: string;
	name: string;
	createdBy: string;
	createdAtMs: number;
}

/** One PTY with everybody attached to it. Who drives is decided by driver-rule.ts. */
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

type Size = { cols: number; rows: number };

/** The program, its ring and its emulator: everything but who is attached. */
function createOutput(
	spec: TerminalSpec,
	ports: {
		screens: ScreenPool;
		links(): readonly AttachLink[];
		isDriven(): boolean;
		onTitle(title: string): void;
		onExit(): void;
	},
) {
	const ring = createByteRing(RING_BYTES);
	const holder = {};
	function received(bytes: Buffer): void {
		const offset = ring.endOffset;
		// The clients first: all else can wait until the bytes are on their way.
		const links = ports.links();
		if (links.length > 0) {
			const frame = frameHostBytes(HOST_FRAME.output, offset, bytes);
			for (const link of links) link.output(offset, bytes.length, frame);
		}
		ring.append(bytes);
		screen.push(bytes, !ports.isDriven());
	}
	const pty = startPtyProcess(spec, {
		onData: received,
		onExit: ports.onExit,
	});
	const screen = ports.screens.open(spec.terminalId, spec, {
		onAnswer: (data) => void pty.write(Buffer.from(data)),
		onTitle: ports.onTitle,
		onBacklog: (over) => (over ? pty.hold(holder) : pty.release(holder)),
	});
	const source: LinkSource = {
		endOffset: () => ring.endOffset,
		readFrom: (offset) => ring.readFrom(offset),
		paint: async (kind) => (kind === "text" ? textOf(await screen.lines()) : screen.paint(kind)),
		hold: pty.hold,
		release: pty.release,
	};
	/** Bytes that hold a query are never shown a second time: their answer would be typed into the program. */
	function replayable(fromOffset: number | undefined, options: LinkOptions): number | undefined {
		const bytes = fromOffset === undefined ? undefined : ring.readFrom(fromOffset);
		return bytes !== undefined && (options.lossless || !holdsQuery(bytes)) ? fromOffset : undefined;
	}
	return { pty, screen, source, replayable };
}

interface Typable {
	name: string;
	pty: PtyProcess;
	rule: DriverRule<AttachLink>;
}

function assertTypable({ name, pty, rule }: Typable, client: string): void {
	if (pty.exit) throw new AppError("TERMINAL_CLOSED", `The program of terminal ${name} has ended.`);
	if (!pty.isOpen)
		throw new AppError("TERMINAL_CLOSED", `The program of terminal ${name} has closed its terminal.`);
	const driver = rule.driver?.link.options;
	if (driver && driver.client !== client)
		throw new AppError("NOT_DRIVER", `Terminal ${name} is driven by ${driver.device}.`);
}

/** @throws AppError PTY_SPAWN_FAILED, INVALID_PARAMS; nothing is left behind then. */
export function createLiveTerminal(spec: TerminalSpec, ports: TerminalPorts): LiveTerminal {
	let { name } = spec;
	let size: Size = { cols: spec.cols, rows: spec.rows };
	let title: string | null = null;
	const changed = (): void => ports.onChange(terminal);
	const { pty, screen, source, replayable } = createOutput(spec, {
		screens: ports.screens,
		links: () => rule.links,
		isDriven: () => rule.driver !== undefined,
		onTitle: (next) => {
			title = next;
			changed();
		},
		onExit: () => {
			for (const link of [...rule.links]) finish(link);
			changed();
		},
	});
	const rule = createDriverRule<AttachLink>({ nowMs: ports.nowMs, applySize });

	function applySize(next: Size): void {
		if (pty.exit || (next.cols === size.cols && next.rows === size.rows)) return;
		size = next;
		pty.resize(next.cols, next.rows);
		screen.resize(next.cols, next.rows);
		for (const link of rule.links) link.send({ event: "size", ...next });
	}
	function finish(link: AttachLink): void {
		if (pty.exit) link.finish({ event: "exit", exit_code: pty.exit.code, signal: pty.exit.signal });
	}
	const assertMayType = (client: string): void => assertTypable({ name, pty, rule }, client);
	function record(): HostTerminal {
		return {
			terminal_id: spec.terminalId,
			name,
			argv: [...spec.argv],
			cwd: spec.cwd,
			...size,
			created_by: spec.createdBy,
			created_at_ms: spec.createdAtMs,
			pid: pty.pid,
			...stateOf(pty.exit),
			title,
			...whoAttached(rule),
		};
	}
	const terminal: LiveTerminal = {
		record,
		attach(options, { takeover, fromOffset }) {
			const link = createAttachLink(options, source);
			rule.join(link, takeover);
			link.start(replayable(fromOffset, options));
			finish(link);
			changed();
			return link;
		},
		detach(link) {
			if (!rule.leave(link)) return;
			link.close();
			changed();
		},
		typed(link, bytes) {
			if (rule.driver?.link === link) {
				if (!pty.write(bytes)) link.send({ event: "refused", ...fullInput(pty) });
			} else
				link.send({ event: "refused", code: "NOT_DRIVER", message: "Another client drives this terminal." });
		},
		sized(link, cols, rows) {
			assertSize(cols, rows);
			link.size = { cols, rows };
			if (rule.driver?.link !== link) return;
			applySize(link.size);
			changed();
		},
		input(client, data) {
			assertMayType(client);
			const { code, message } = fullInput(pty);
			if (!pty.write(data)) throw new AppError(code, message);
		},
		resize(client, cols, rows) {
			assertSize(cols, rows);
			assertMayType(client);
			if (rule.driver) rule.driver.link.size = { cols, rows };
			applySize({ cols, rows });
			changed();
		},
		rename(next) {
			name = next;
			changed();
		},
		kill: pty.kill,
		lines: () => screen.lines(),
		dispose: () => screen[Symbol.dispose](),
	};
	return terminal;
}

/** Why a program took nothing of what was typed. */
function fullInput({ isOpen }: PtyProcess): { code: "BUSY" | "TERMINAL_CLOSED"; message: string } {
	return isOpen
		? { code: "BUSY", message: "The program does not read what was typed before." }
		: { code: "TERMINAL_CLOSED", message: "The program has closed its terminal." };
}

function stateOf(exit: PtyProcess["exit"]): Pick<HostTerminal, "status" | "exit_code" | "signal"> {
	return { status: exit ? "exited" : "running", exit_code: exit?.code ?? null, signal: exit?.signal ?? null };
}

function whoAttached({ links, driver }: DriverRule<AttachLink>): Pick<HostTerminal, "driver" | "watchers"> {
	if (!driver) return { driver: null, watchers: links.length };
	const { client, device } = driver.link.options;
	return { driver: { client, device, since_ms: driver.sinceMs }, watchers: links.length - 1 };
}

function textOf({ lines }: ScreenLines): Uint8Array {
	const text = lines.join("\n").trimEnd();
	return Buffer.from(text === "" ? "" : `${text}\n`);
}
