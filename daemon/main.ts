import { setFlagsFromString } from "node:v8";
import { toAppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import { readConfig } from "#config/read.ts";
import type { Paths } from "#platform/paths.ts";
import { VERSION } from "#protocol/limits.ts";
import type { CodexFacade } from "./codex/facade.ts";
import { createFlags } from "./lifecycle/flags.ts";
import { prepareFolders } from "./lifecycle/home.ts";
import { acquireInstanceLock } from "./lifecycle/instance-lock.ts";
import { createReadyReport, type ReadyReport } from "./lifecycle/ready-report.ts";

/**
 * A young generation of V8's default size grows to 48 MB of garbage in a few turns and never shrinks; a small one costs
 * a turn nothing that can be measured. Holds for this process's threads that start later too.
 */
const YOUNG_GENERATION_FLAG = "--max-semi-space-size=2";

export interface RunDaemonOptions {
	paths: Paths;
	env: Readonly<Record<string, string | undefined>>;
	/** Flags of the command line; they go over the environment and config.json. */
	port?: number;
	web?: boolean;
	/** In the foreground the log goes to stderr too. */
	foreground?: boolean;
	/** Called when this process is the daemon of its home, while the daemon is still put together; a rejection ends the start. */
	onLocked?(): Promise<void>;
	/** Called once when the daemon answers; a rejection ends it and is thrown. */
	onReady?(running: RunningDaemon): Promise<void>;
}

/** What whoever runs the daemon in its own process may do with it. */
export interface RunningDaemon {
	readonly codex: CodexFacade;
	/** Begins the shutdown; exit code 0. */
	stop(why: string): void;
}

/**
 * Is the daemon of this home until it is told to stop; resolves with the exit code. Nothing of a failed start is left
 * behind. Most of a start is loading, so that comes after the locks: who lost learns it at once, and whoever waits for
 * the winner can be told so. @throws AppError why it could not start, DAEMON_ALREADY_RUNNING among them.
 */
export async function serveDaemon(options: RunDaemonOptions, report?: ReadyReport): Promise<number> {
	const { paths, env } = options;
	const startedAtMs = systemClock.nowMs();
	await using stack = new AsyncDisposableStack();
	const config = readConfig(paths.config, env);
	const flags = createFlags(env);
	prepareFolders(paths);
	const holder = { version: VERSION, home: paths.home };
	stack.use(await acquireInstanceLock({ path: paths.lock, kind: "daemon", ...holder }));
	stack.use(await acquireInstanceLock({ path: paths.weaveLock, kind: "bus", ...holder }));
	setFlagsFromString(YOUNG_GENERATION_FLAG);
	await options.onLocked?.();
	const { serveLocked } = await import("./serve-locked.ts");
	return await serveLocked({ options, config, flags, startedAtMs, report });
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
