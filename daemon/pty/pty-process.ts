import { type IPty, spawn } from "node-pty";
import { AppError } from "#base/app-error.ts";
import { checkLaunch, type Launch } from "./launch-check.ts";
import { createPtyInput } from "./pty-input.ts";
import { takePtyOutput } from "./pty-output.ts";

/** A program that ignores SIGHUP gets SIGKILL after this. */
const KILL_GRACE_MS = 3_000;
/** node-pty drops what it has not read 200 ms after the program's end, so a held program is looked at this often. */
const HOLD_CHECK_MS = 80;

/** One program in a PTY; node-pty with its edges taken off. */
export interface PtyProcess {
	readonly pid: number;
	readonly exit: { code: number; signal: number | null } | undefined;
	/** False once the program gave its terminal up, which some outlive. */
	readonly isOpen: boolean;
	/** False when it takes no more: the program does not read what was typed before, or is gone. */
	write(bytes: Uint8Array): boolean;
	/** The size was checked before (assertSize): node-pty ends the whole process on some. */
	resize(cols: number, rows: number): void;
	/** Holds the program's output while anybody needs it held; never past its end, when what is left would be dropped. */
	hold(holder: object): void;
	release(holder: object): void;
	/** SIGHUP to its group, SIGKILL after a grace time. */
	kill(): void;
}

interface PtyHandlers {
	/** HOST_BYTES_HEADROOM bytes in front of these are the receiver's too. */
	onData(bytes: Buffer): void;
	/** Once, after all output. */
	onExit(): void;
}

/** Of node-pty 1.2.0-beta.15 (pinned): the master's descriptor, and the stream that owns it. */
export interface PtyView {
	readonly fd: number;
	readonly _socket: {
		readonly destroyed: boolean;
		readonly readableLength: number;
		on(event: "data", listener: (bytes: Buffer) => void): unknown;
	};
}

/** @throws AppError PTY_SPAWN_FAILED, INVALID_PARAMS; nothing is left behind then. */
export function startPtyProcess(launch: Launch, handlers: PtyHandlers): PtyProcess {
	const pty = spawnChecked(launch);
	const view = pty as unknown as PtyView;
	const flow = createFlow(pty);
	let exit: PtyProcess["exit"];
	// Straight from the stream, which holds Buffers with encoding null; node-pty's own event adds two emitters.
	view._socket.on("data", (bytes) => handlers.onData(takePtyOutput(view, bytes)));
	pty.onExit(({ exitCode, signal }) => {
		exit = { code: exitCode, signal: signal === undefined || signal === 0 ? null : signal };
		input.forget();
		flow.stop();
		handlers.onExit();
	});
	const isOpen = (): boolean => exit === undefined && !view._socket.destroyed;
	const input = createPtyInput(view, isOpen);
	return {
		pid: pty.pid,
		get exit() {
			return exit;
		},
		get isOpen() {
			return isOpen();
		},
		write: input.write,
		resize(cols, rows) {
			if (isOpen()) pty.resize(cols, rows);
		},
		hold: flow.hold,
		release: flow.release,
		kill() {
			if (exit) return;
			signalGroup(pty.pid, "SIGHUP");
			signalGroup(pty.pid, "SIGCONT");
			setTimeout(() => {
				if (!exit) signalGroup(pty.pid, "SIGKILL");
			}, KILL_GRACE_MS).unref();
		},
	};
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
	try {
		// forkpty made the program the leader of its own group.
		process.kill(-pid, signal);
	} catch {
		// Gone already: that is what was wanted.
	}
}

function spawnChecked(launch: Launch): IPty {
	const file = checkLaunch(launch);
	try {
		return spawn(file, launch.argv.slice(1), {
			name: launch.env["TERM"] ?? "xterm-256color",
			cols: launch.cols,
			rows: launch.rows,
			cwd: launch.cwd,
			env: { ...launch.env },
			encoding: null,
		});
	} catch (error) {
		throw new AppError("PTY_SPAWN_FAILED", "The system gave no new terminal.", { cause: error });
	}
}

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
