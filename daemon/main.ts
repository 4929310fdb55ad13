import { Socket } from "node:net";
import { join } from "node:path";
import { toAppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import { readConfig } from "#config/read.ts";
import type { Paths } from "#platform/paths.ts";
import { VERSION } from "#protocol/limits.ts";
import type { CodexFacade } from "./codex/facade.ts";
import { composeDaemon } from "./compose.ts";
import { publishDiscovery } from "./lifecycle/discovery-record.ts";
import { createFlags } from "./lifecycle/flags.ts";
import { prepareFolders, prepareHome } from "./lifecycle/home.ts";
import { acquireInstanceLock } from "./lifecycle/instance-lock.ts";
import { createReadyReport, type ReadyReport } from "./lifecycle/ready-report.ts";
import { attachSignals, createShutdown, type Shutdown } from "./lifecycle/shutdown.ts";
import { createFaultPoint } from "./telemetry/fault-point.ts";
import { createLogFile } from "./telemetry/log-file.ts";
import { createLogger, parseLogLevel } from "./telemetry/logger.ts";
import { createTelemetry } from "./telemetry/metrics.ts";
import type { Logger } from "./telemetry/port.ts";

export interface RunDaemonOptions {
	paths: Paths;
	env: Readonly<Record<string, string | undefined>>;
	/** Flags of the command line; they go over the environment and config.json. */
	port?: number;
	web?: boolean;
	/** In the foreground the log goes to stderr too. */
	foreground?: boolean;
	/** Called once when the daemon answers; a rejection ends it and is thrown. */
	onReady?(running: RunningDaemon): Promise<void>;
}

/** What whoever runs the daemon in its own process may do with it. */
export interface RunningDaemon {
	readonly codex: CodexFacade;
	/** Begins the shutdown; exit code 0. */
	stop(why: string): void;
}

/** Stops the daemon when the pipe from a shim closes: whoever waits for it is gone (see bin/launch.mjs). */
function watchShim(env: RunDaemonOptions["env"], shutdown: Shutdown): void {
	const fd = Number(env["WEAVE_CODEX_SHIM_FD"]);
	if (!Number.isSafeInteger(fd) || fd < 3) return;
	const pipe = new Socket({ fd, readable: true, writable: false });
	pipe.on("error", () => undefined);
	pipe.on("close", () => void shutdown.begin({ kind: "signal", detail: "the starter is gone", exitCode: 0 }));
	pipe.resume();
	pipe.unref();
}

/** An error nobody caught: what is on disk is right, what is in memory may not be, so a new process takes over. */
function watchCrashes(logger: Logger, shutdown: Shutdown): Disposable {
	function onCrash(error: unknown): void {
		logger.error("uncaught", { error });
		void shutdown.begin({ kind: "fatal", detail: "an uncaught error", exitCode: 70 });
	}
	process.on("uncaughtException", onCrash);
	process.on("unhandledRejection", onCrash);
	return {
		[Symbol.dispose]() {
			process.removeListener("uncaughtException", onCrash);
			process.removeListener("unhandledRejection", onCrash);
		},
	};
}

function setUp(options: RunDaemonOptions) {
	const { paths, env } = options;
	const config = readConfig(paths.config, env);
	const flags = createFlags(env);
	const telemetry = createTelemetry({ clock: systemClock, traceSpans: flags.isEnabled("trace_spans") });
	const port = options.port ?? config.get("gateway.port");
	const web = options.web ?? config.get("gateway.web") !== false;
	const level = parseLogLevel(String(config.get("log.level")));
	return { flags, telemetry, level, web, port: typeof port === "number" ? port : undefined };
}

/**
 * Is the daemon of this home until it is told to stop; resolves with the exit code. Nothing of a failed start is left
 * behind. @throws AppError why it could not start, DAEMON_ALREADY_RUNNING among them.
 */
export async function serveDaemon(options: RunDaemonOptions, report?: ReadyReport): Promise<number> {
	const { paths, env } = options;
	const startedAtMs = systemClock.nowMs();
	await using stack = new AsyncDisposableStack();
	const { flags, telemetry, level, web, port } = setUp(options);
	prepareFolders(paths);
	stack.use(
		await acquireInstanceLock({ path: paths.lock, kind: "daemon", version: VERSION, home: paths.home }),
	);
	stack.use(
		await acquireInstanceLock({ path: paths.weaveLock, kind: "bus", version: VERSION, home: paths.home }),
	);
	const { token, machineId } = prepareHome(paths, newId);
	const logFile = stack.use(createLogFile({ path: join(paths.logs, "daemon.log") }));
	const stderr = { write: (line: string) => void process.stderr.write(line) };
	const logger = createLogger({ sinks: options.foreground ? [logFile, stderr] : [logFile], level });
	const exited = Promise.withResolvers<number>();
	const shutdown = createShutdown({ clock: systemClock, logger, exit: exited.resolve });
	stack.use(attachSignals(shutdown, process));
	stack.use(watchCrashes(logger, shutdown));
	const epoch = newId();
	const daemon = await composeDaemon({
		...{ paths, env, port, web, token, machineId, epoch, startedAtMs, flags, telemetry, logger, shutdown },
		...{ clock: systemClock, newId, random: Math.random, fault: createFaultPoint(env) },
	});
	const record = publishDiscovery(paths, {
		...{
			version: VERSION,
			epoch,
			started_at_ms: startedAtMs,
			machine_id: machineId,
			listeners: daemon.listeners,
			codex_home: paths.codexHome,
		},
		sockets: {
			daemon: paths.daemonSocket,
			codex: paths.codexSocket,
			coord: paths.coordSocket,
			pty: paths.ptySocket,
		},
	});
	shutdown.add("remove-records", "discovery record", () => record[Symbol.dispose]());
	watchShim(env, shutdown);
	logger.info("ready", { version: VERSION, pid: process.pid, start_ms: systemClock.nowMs() - startedAtMs });
	report?.ready(daemon.listeners);
	try {
		const stop = (why: string): void => void shutdown.begin({ kind: "request", detail: why, exitCode: 0 });
		await options.onReady?.({ codex: daemon.codex, stop });
	} catch (error) {
		void shutdown.begin({ kind: "request", detail: "its first client could not be served", exitCode: 1 });
		await exited.promise;
		throw error;
	}
	return await exited.promise;
}

/** Like `serveDaemon`, but tells how the start went: on stderr, and over WEAVE_READY_FD whoever started it. */
export async function runDaemon(options: RunDaemonOptions): Promise<number> {
	const report = createReadyReport(options.env);
	try {
		return await serveDaemon(options, report);
	} catch (thrown) {
		const error = toAppError(thrown);
		report.failed(error);
		process.stderr.write(`weave-codex: ${error.message}\n  ${error.remedy}\n`);
		if (error.code === "INTERNAL")
			process.stderr.write(`${String((error.cause as Error | undefined)?.stack ?? error.cause)}\n`);
		return error.exitCode;
	}
}
