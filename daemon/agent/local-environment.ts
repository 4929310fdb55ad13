import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { failedProcess, type RunningProcess, startProcess } from "#platform/process.ts";
import { createPipePool } from "#platform/process-pipe.ts";
import {
	isProtected,
	listProtectedPaths,
	type ProductPlaces,
	type ProtectedPaths,
} from "../policy/protected.ts";
import type { Environment, ExecRequest } from "./environment.ts";
import { type Bubblewrap, detectBubblewrap, sandboxArgv } from "./sandbox/bubblewrap.ts";
import { childEnvironment } from "./sandbox/child-environment.ts";
import { resolveRealPath } from "./sandbox/real-path.ts";

/** Kept output of one command: enough for any log a model can use, little enough for many at once. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;
/** Pipes made ahead; a burst beyond them falls back to Node's socket pairs. */
const PIPES_READY = 4;
/** Time a command gets between SIGTERM and SIGKILL when the environment is disposed. */
const DISPOSE_GRACE_MS = 1_000;
/** A patch is text a person could read; a bigger file is not read into memory. */
const TEXT_LIMIT_BYTES = 16 * 1024 * 1024;

export interface LocalEnvironmentOptions {
	readonly machineId: string;
	readonly paths: ProductPlaces;
	/** The daemon's own environment: names the person's home and the programs; commands get only an allow-list of theirs. */
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
}

/** The local machine, and what of it no tool may touch. Disposing ends every command that still runs. */
export interface LocalEnvironment extends Environment, AsyncDisposable {
	readonly protectedPaths: ProtectedPaths;
}

/**
 * This machine as the agent's environment. Sandboxed commands end with the daemon, also when it is killed; commands with
 * full access live on as orphans that the recorded pid and start time name.
 */
export async function createLocalEnvironment(options: LocalEnvironmentOptions): Promise<LocalEnvironment> {
	const pipes = createPipePool(PIPES_READY);
	const [detected] = await Promise.all([detectBubblewrap(options.env), pipes.ready()]);
	const bubblewrap = typeof detected === "string" ? undefined : detected;
	const protectedPaths = listProtectedPaths(options.paths, options.env, resolveRealPath);
	const running = new Set<RunningProcess>();

	function exec(request: ExecRequest): RunningProcess {
		if (!existsSync(request.cwd)) return failedProcess(`The folder ${request.cwd} does not exist.`);
		const argv =
			request.sandbox === "danger-full-access" ? request.argv : wrap(request, bubblewrap, protectedPaths);
		if (typeof argv === "string") return failedProcess(argv);
		const env = childEnvironment(request.env);
		if (request.sandbox !== "danger-full-access") delete env["TMPDIR"];
		const started = startProcess(
			{
				argv,
				cwd: request.sandbox === "danger-full-access" ? request.cwd : "/",
				env,
				outputLimitBytes: OUTPUT_LIMIT_BYTES,
			},
			{ clock: options.clock, pipes },
		);
		running.add(started);
		void started.done.then(() => running.delete(started));
		return started;
	}

	return {
		machineId: options.machineId,
		sandbox: {
			kind: bubblewrap === undefined ? "none" : "bubblewrap",
			available: bubblewrap !== undefined,
			detail: typeof detected === "string" ? detected : detected.program,
		},
		protectedPaths,
		exec,
		readText,
		writeText,
		remove: (path) => unlink(path),
		realPath: (path) => Promise.resolve(resolveRealPath(path)),
		async [Symbol.asyncDispose]() {
			const ending = [...running];
			for (const command of ending) command.kill(DISPOSE_GRACE_MS);
			await Promise.all(ending.map((command) => command.done));
			pipes[Symbol.dispose]();
		},
	};
}

/** The argv in its sandbox, or why it must not run: without a sandbox nothing runs that asked for one. */
function wrap(
	request: ExecRequest,
	bubblewrap: Bubblewrap | undefined,
	hidden: ProtectedPaths,
): string[] | string {
	if (request.sandbox === "danger-full-access") return [...request.argv];
	if (bubblewrap === undefined)
		return "There is no sandbox on this machine, and the command was to run in one.";
	const cwd = resolveRealPath(request.cwd);
	if (isProtected(cwd, hidden)) return `The folder ${request.cwd} is protected: no command runs there.`;
	const roots = [request.workspaceRoot ?? cwd, ...request.writableRoots].map((root) => resolveRealPath(root));
	const open = [...new Set(roots)].filter((root) => !isProtected(root, hidden));
	const plan = { mode: request.sandbox, cwd, roots: open, networkAccess: request.networkAccess, hidden };
	return sandboxArgv(bubblewrap, plan, request.argv);
}

async function readText(path: string): Promise<string | undefined> {
	let bytes: Buffer;
	try {
		const info = await stat(path);
		if (!info.isFile()) throw new AppError("TOOL_FAILED", `${path} is not a file.`);
		if (info.size > TEXT_LIMIT_BYTES)
			throw new AppError("TOOL_FAILED", `${path} is too big to be edited as text.`);
		bytes = await readFile(path);
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		throw new AppError("TOOL_FAILED", `${path} is not UTF-8 text.`);
	}
}

async function writeText(path: string, text: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true });
	const present = await stat(path).catch(() => undefined);
	const draft = join(dirname(path), `.weave-${randomUUID()}.tmp`);
	try {
		await using file = await open(draft, "wx", 0o666);
		await file.writeFile(text);
		await file.sync();
		if (present !== undefined) await chmod(draft, present.mode & 0o7777);
		await rename(draft, path);
	} catch (error) {
		await rm(draft, { force: true });
		throw error;
	}
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
