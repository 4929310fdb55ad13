import { Socket } from "node:net";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import type { readConfig } from "#config/read.ts";
import { VERSION } from "#protocol/limits.ts";
import { composeDaemon } from "./compose.ts";
import { publishDiscovery } from "./lifecycle/discovery-record.ts";
import type { Flags } from "./lifecycle/flags.ts";
import { prepareHome } from "./lifecycle/home.ts";
import type { ReadyReport } from "./lifecycle/ready-report.ts";
import { attachSignals, createShutdown, type Shutdown } from "./lifecycle/shutdown.ts";
import type { RunDaemonOptions } from "./main.ts";
import { createFaultPoint } from "./telemetry/fault-point.ts";
import { createLogFile } from "./telemetry/log-file.ts";
import { createLogger, parseLogLevel } from "./telemetry/logger.ts";
import { createTelemetry } from "./telemetry/metrics.ts";
import type { Logger } from "./telemetry/port.ts";

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

interface Start {
	readonly options: RunDaemonOptions;
	readonly config: ReturnType<typeof readConfig>;
	readonly flags: Flags;
	readonly startedAtMs: number;
	readonly report: ReadyReport | undefined;
}

function settingsOf({ options, config, flags }: Start) {
	const port = options.port ?? config.get("gateway.port");
	return {
		telemetry: createTelemetry({ clock: systemClock, traceSpans: flags.isEnabled("trace_spans") }),
		port: typeof port === "number" ? port : undefined,
		web: options.web ?? config.get("gateway.web") !== false,
		level: parseLogLevel(String(config.get("log.level"))),
	};
}

/** The daemon of a home whose locks this process holds, until it is told to stop; resolves with the exit code. */
export async function serveLocked(start: Start): Promise<number> {
	const { options, flags, startedAtMs, report } = start;
	const { paths, env } = options;
	await using stack = new AsyncDisposableStack();
	const { telemetry, level, web, port } = settingsOf(start);
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
