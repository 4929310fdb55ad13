import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { AppError } from "#base/app-error.ts";
import { systemClock, waitMs } from "#base/clock.ts";
import type { Listener } from "./discovery.ts";
import { makeFolder } from "./make-folder.ts";
import type { Paths } from "./paths.ts";

export interface SpawnDaemonOptions {
	paths: Paths;
	env: Readonly<Record<string, string | undefined>>;
	/** The daemon's entry module, source or bundle; run by this process's own Node, never through a shim. */
	entry: URL | string;
	/** Given to the entry as `--port N`. */
	port?: number;
	/** False is given to the entry as `--no-web`. */
	web?: boolean;
	/** Default 20 s: a slow disk with a large database to check. */
	timeoutMs?: number;
}

export interface SpawnedDaemon {
	pid: number;
	listeners: readonly Listener[];
}

const DEFAULT_TIMEOUT_MS = 20_000;
/** The pipe's number in the child: the first after stdin, stdout, stderr. */
const READY_FD = 3;
/** More than any report; a child that says more is not ours. */
const REPORT_MAX_CHARS = 256 * 1024;
const START_LOG_TAIL_CHARS = 600;

function launch({ paths, env, entry, port, web }: SpawnDaemonOptions, startLog: string): ChildProcess {
	const log = openSync(startLog, "w", 0o600);
	const file = entry instanceof URL ? fileURLToPath(entry) : entry;
	const args = [
		file,
		...(port === undefined ? [] : ["--port", String(port)]),
		...(web === false ? ["--no-web"] : []),
	];
	try {
		return spawn(process.execPath, args, {
			detached: true,
			cwd: paths.home,
			env: { ...env, WEAVE_READY_FD: String(READY_FD) },
			stdio: ["ignore", log, log, "pipe"],
		});
	} finally {
		closeSync(log);
	}
}

/** The first line, or undefined when the pipe ends without one. */
async function readLine(pipe: Readable): Promise<string | undefined> {
	let text = "";
	for await (const chunk of pipe.setEncoding("utf8")) {
		text += chunk as string;
		const end = text.indexOf("\n");
		if (end >= 0) return text.slice(0, end);
		if (text.length > REPORT_MAX_CHARS) return undefined;
	}
	return undefined;
}

function tailOf(path: string): string {
	try {
		return readFileSync(path, "utf8").trim().slice(-START_LOG_TAIL_CHARS);
	} catch {
		return "";
	}
}

function parseReport(line: string, pid: number): SpawnedDaemon {
	const report = JSON.parse(line) as {
		ready?: boolean;
		listeners?: Listener[];
		error?: { name: string; message: string; data?: unknown };
	};
	if (report.error) throw AppError.fromWire(report.error);
	return { pid, listeners: report.listeners ?? [] };
}

function isListening(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(path);
		socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
		socket.once("connect", () => socket.destroy());
	});
}

/** The winner of a race for the lock may still be on its way to its socket. */
async function waitForWinner(paths: Paths, timeoutMs: number): Promise<void> {
	const giveUpMs = systemClock.monotonicMs() + timeoutMs;
	while (!(await isListening(paths.daemonSocket)) && systemClock.monotonicMs() < giveUpMs) await pause(25);
}

/** Unlike the clock's own timers this one keeps the process alive. */
function pause(delayMs: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/**
 * Starts a daemon in the background and resolves when it answers; what it says before it can log goes to logs/start.log.
 * @throws AppError the child's own reason; DAEMON_ALREADY_RUNNING when another one has the home (it answers by then:
 * just connect); TIMEOUT, after which the child was ended; DAEMON_UNAVAILABLE when it died silently; HOME_NOT_WRITABLE.
 */
export async function spawnDaemon(options: SpawnDaemonOptions): Promise<SpawnedDaemon> {
	const { paths, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
	const startLog = join(paths.logs, "start.log");
	let child: ChildProcess;
	try {
		makeFolder(paths.logs);
		child = launch(options, startLog);
	} catch (cause) {
		throw new AppError("HOME_NOT_WRITABLE", `${paths.home} cannot be written.`, {
			cause,
			data: { path: paths.home },
		});
	}
	const failed = new Promise<never>((_resolve, reject) => {
		child.once("error", (cause) =>
			reject(new AppError("DAEMON_UNAVAILABLE", "The daemon's program could not be started.", { cause })),
		);
	});
	const pipe = child.stdio[READY_FD] as Readable;
	const timer = new AbortController();
	try {
		const late = waitMs(systemClock, timeoutMs, timer.signal).then(() => "late" as const);
		late.catch(() => undefined);
		const line = await Promise.race([readLine(pipe), failed, late]);
		if (line === "late") {
			child.kill("SIGTERM");
			throw new AppError(
				"TIMEOUT",
				`The daemon did not get ready within ${timeoutMs / 1000} s; see ${startLog}.`,
			);
		}
		if (line === undefined)
			throw new AppError(
				"DAEMON_UNAVAILABLE",
				`The daemon ended while it started. ${tailOf(startLog)}`.trim(),
			);
		return parseReport(line, child.pid ?? 0);
	} catch (error) {
		if (error instanceof AppError && error.code === "DAEMON_ALREADY_RUNNING")
			await waitForWinner(paths, timeoutMs);
		throw error;
	} finally {
		timer.abort();
		pipe.destroy();
		child.unref();
	}
}
