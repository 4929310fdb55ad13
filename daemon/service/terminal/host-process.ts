import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Paths } from "#platform/paths.ts";
import type { EndedTerminal } from "../../pty/host.ts";

/** A small young generation: a host keeps next to nothing, and each of its two threads would let 16 MiB of garbage grow. */
const HOST_FLAGS = ["--max-semi-space-size=1"];
const START_TIMEOUT_MS = 10_000;

/** The secret by which a daemon is known to its host: 32 bytes, hex, 0600; made once. */
export function ensureHostSecret(paths: Pick<Paths, "home">): string {
	const file = join(paths.home, "pty-host.secret");
	try {
		writeFileSync(file, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST")
			throw new AppError("HOME_NOT_WRITABLE", `${file} cannot be written.`, { cause: error });
	}
	return readFileSync(file, "utf8").trim();
}

/** What ended while no daemon was there to see it; read once. Empty when the file is absent or damaged. */
export function takeEndedTerminals(paths: Pick<Paths, "home">): Map<string, EndedTerminal> {
	const file = join(paths.home, "pty-host-ended.json");
	try {
		const list: unknown = JSON.parse(readFileSync(file, "utf8"));
		const entries = Array.isArray(list) ? list.filter(isEnded) : [];
		return new Map(entries.map((entry) => [entry.terminal_id, entry]));
	} catch {
		return new Map();
	} finally {
		rmSync(file, { force: true });
	}
}

function isEnded(value: unknown): value is EndedTerminal {
	if (typeof value !== "object" || value === null) return false;
	const { terminal_id, exit_code, signal } = value as Record<string, unknown>;
	const isNumberOrNull = (entry: unknown): boolean => entry === null || Number.isInteger(entry);
	return typeof terminal_id === "string" && isNumberOrNull(exit_code) && isNumberOrNull(signal);
}

interface StartOptions {
	paths: Paths;
	hostEntry: URL;
	env: Readonly<Record<string, string | undefined>>;
	clock: Clock;
}

/**
 * Starts a host that outlives this process: own session, no descriptor of ours but a log file. Resolves when it listens.
 * @throws AppError HOST_UNAVAILABLE.
 */
export async function startHostProcess({ paths, hostEntry, env, clock }: StartOptions): Promise<void> {
	mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
	mkdirSync(dirname(paths.ptySocket), { recursive: true, mode: 0o700 });
	const logFile = join(paths.logs, "pty-host.log");
	const log = openSync(logFile, "a", 0o600);
	const child = spawn(
		process.execPath,
		[...HOST_FLAGS, fileURLToPath(hostEntry), paths.home, paths.ptySocket],
		{
			detached: true,
			cwd: "/",
			stdio: ["ignore", "pipe", log],
			// The programs' environment comes with each start; the host itself needs next to nothing.
			env: { HOME: env["HOME"], PATH: env["PATH"], LANG: env["LANG"] },
		},
	);
	closeSync(log);
	child.unref();
	const { stdout } = child;
	const ready = Promise.withResolvers<void>();
	const fail = (why: string, cause?: unknown): void =>
		ready.reject(new AppError("HOST_UNAVAILABLE", `The pty-host ${why}; see ${logFile}.`, { cause }));
	const timer = clock.after(START_TIMEOUT_MS, () => fail("did not start in time"));
	child.once("error", (error) => fail("could not be started", error));
	child.once("exit", (code) => fail(`ended at once with ${code}`));
	stdout?.once("data", () => ready.resolve());
	try {
		await ready.promise;
	} finally {
		timer[Symbol.dispose]();
		stdout?.destroy();
	}
}
