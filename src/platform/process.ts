import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Clock } from "#base/clock.ts";
import { createEmitter } from "#base/emitter.ts";
import { createOutputCollector } from "./process-output.ts";
import { closePipe, type Pipe, type PipePool } from "./process-pipe.ts";
import { readProcessStartTime } from "./process-start.ts";

/** After the program itself ended, output of children it left behind is awaited this long and then no longer collected. */
const DRAIN_MS = 150;
/** Exit code of a shell for a program that could not be started. */
const NOT_STARTED_CODE = 127;
/** Shells report an end by signal as 128 + its number. */
const SIGNAL_BASE = 128;

export interface ProcessRequest {
	argv: readonly string[];
	cwd: string;
	/** The whole environment; nothing is inherited. */
	env: Readonly<Record<string, string>>;
	/** Bound of the kept output, head and tail. */
	outputLimitBytes: number;
	/** Keeps its input open for `write`; closed from the start when left out. */
	input?: boolean;
	/** Keeps stderr out of the output: it goes to `onErrorOutput` alone, and is not kept. */
	split?: boolean;
	/** Gives it a descriptor 3 that `tell` writes to. */
	control?: boolean;
}

export interface ProcessResult {
	exitCode: number;
	signal: string | null;
	output: string;
	durationMs: number;
	startError: string | null;
}

/** A program in a process group of its own, stdin empty, stdout and stderr in one stream unless they are split. */
export interface RunningProcess {
	readonly pid: number | null;
	readonly startTime: string | null;
	onOutput(listener: (chunk: string) => void): Disposable;
	/** Nothing comes unless the streams are split. */
	onErrorOutput(listener: (chunk: string) => void): Disposable;
	/** SIGTERM to the group, SIGKILL after `graceMs`; nothing once it has ended. */
	kill(graceMs: number): void;
	/** SIGINT to the group; nothing once it has ended. */
	interrupt(): void;
	/** To its input; dropped where that is closed. */
	write(text: string): void;
	/** Closes its input. */
	endInput(): void;
	/** To its descriptor 3; dropped where it has none. */
	tell(text: string): void;
	/** Never rejects. */
	readonly done: Promise<ProcessResult>;
}

/** What was never a process: the result says why. */
export function failedProcess(startError: string): RunningProcess {
	return {
		pid: null,
		startTime: null,
		onOutput: () => ({ [Symbol.dispose]: () => undefined }),
		onErrorOutput: () => ({ [Symbol.dispose]: () => undefined }),
		kill: () => undefined,
		interrupt: () => undefined,
		write: () => undefined,
		endInput: () => undefined,
		tell: () => undefined,
		done: Promise.resolve({
			exitCode: NOT_STARTED_CODE,
			signal: null,
			output: "",
			durationMs: 0,
			startError,
		}),
	};
}

interface Launched {
	child: ChildProcess;
	streams: readonly Readable[];
	/** Of split streams. */
	errors: Readable | null;
}

/** Text of a stream as it comes, whole characters at a time. */
function followErrors(errors: Readable | null): RunningProcess["onErrorOutput"] {
	const told = createEmitter<string>();
	const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
	errors?.on("data", (chunk: Buffer) => {
		const text = decoder.decode(chunk, { stream: true });
		if (text !== "") told.emit(text);
	});
	return (listener) => told.on(listener);
}

/** Starts a program; what goes wrong is in the result. */
export function startProcess(
	request: ProcessRequest,
	ports: { clock: Clock; pipes: PipePool },
): RunningProcess {
	const startedMs = ports.clock.monotonicMs();
	const collector = createOutputCollector(request.outputLimitBytes);
	const output = createEmitter<string>();
	let launched: Launched;
	try {
		launched = launch(request, request.split === true ? undefined : ports.pipes.take());
	} catch (error) {
		return failedProcess(error instanceof Error ? error.message : String(error));
	}
	const { child, streams, errors } = launched;
	const onErrorOutput = followErrors(errors);
	const pid = child.pid ?? null;
	let ended = false;
	let collecting = true;

	function collect(chunk: Buffer): void {
		if (!collecting) return;
		const text = collector.push(chunk);
		if (text !== "") output.emit(text);
	}
	for (const stream of streams) {
		if (stream !== errors) stream.on("data", collect);
		stream.on("error", () => undefined);
	}

	const done = new Promise<ProcessResult>((resolve) => {
		function finish(exitCode: number, signal: NodeJS.Signals | null, startError: string | null): void {
			const rest = collector.flush();
			if (rest !== "") output.emit(rest);
			collecting = false;
			// A child that was left behind keeps its pipe: it is read and dropped, so that it neither blocks nor breaks.
			for (const stream of streams) unref(stream);
			const durationMs = Math.round(ports.clock.monotonicMs() - startedMs);
			resolve({ exitCode, signal, output: collector.text(), durationMs, startError });
		}
		child.once("error", (error) => {
			if (pid === null) finish(NOT_STARTED_CODE, null, error.message);
		});
		child.once("exit", (code, signal) => {
			ended = true;
			void drained(streams, ports.clock).then(() =>
				finish(code ?? SIGNAL_BASE + signalNumber(signal), signal, null),
			);
		});
	});

	return {
		pid,
		startTime: pid === null ? null : readProcessStartTime(pid),
		onOutput: (listener) => output.on(listener),
		onErrorOutput,
		kill(graceMs) {
			if (pid === null || ended) return;
			signalGroup(pid, "SIGTERM");
			ports.clock.after(graceMs, () => {
				if (!ended) signalGroup(pid, "SIGKILL");
			});
		},
		interrupt() {
			if (pid !== null && !ended) signalGroup(pid, "SIGINT");
		},
		write(text) {
			const { stdin } = child;
			if (stdin !== null && !ended && stdin.writable) stdin.write(text);
		},
		endInput: () => void child.stdin?.end(),
		tell(text) {
			const control = child.stdio[3];
			if (control instanceof Socket && !ended && control.writable) control.write(text);
		},
		done,
	};
}

function launch(request: ProcessRequest, pipe: Pipe | undefined): Launched {
	const [file, ...args] = request.argv;
	if (file === undefined) throw new Error("No program was named.");
	const target = pipe === undefined ? "pipe" : pipe.writeFd;
	let child: ChildProcess;
	try {
		child = spawn(file, args, {
			cwd: request.cwd,
			env: { ...request.env },
			detached: true,
			stdio: [
				request.input === true ? "pipe" : "ignore",
				target,
				target,
				...(request.control === true ? (["pipe"] as const) : []),
			],
		});
		// A program that closed its input is no error of ours.
		child.stdin?.on("error", () => undefined);
		child.stdio[3]?.on("error", () => undefined);
	} catch (error) {
		if (pipe !== undefined) closePipe(pipe);
		throw error;
	}
	if (pipe === undefined)
		return {
			child,
			streams: [child.stdout, child.stderr].filter((stream) => stream !== null),
			errors: request.split === true ? child.stderr : null,
		};
	closeSync(pipe.writeFd);
	const output = new Socket({ fd: pipe.readFd, readable: true, writable: false });
	return { child, streams: [output], errors: null };
}

/** Resolves when every stream has ended, or after the time given to children that hold it open. */
function drained(streams: readonly Readable[], clock: Clock): Promise<void> {
	return new Promise((resolve) => {
		let open = streams.filter((stream) => !stream.readableEnded && !stream.destroyed).length;
		if (open === 0) return resolve();
		const timer = clock.after(DRAIN_MS, resolve);
		for (const stream of streams) {
			stream.once("close", () => {
				open -= 1;
				if (open > 0) return;
				timer[Symbol.dispose]();
				resolve();
			});
		}
	});
}

function unref(stream: Readable): void {
	if (stream instanceof Socket) stream.unref();
	stream.resume();
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(-pid, signal);
	} catch {
		// The group ended between the look and the signal.
	}
}

function signalNumber(signal: NodeJS.Signals | null): number {
	return signal === null ? 0 : constants.signals[signal];
}
