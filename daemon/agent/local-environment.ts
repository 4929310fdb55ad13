import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { failedProcess, type RunningProcess, startProcess } from "#platform/process.ts";
import { createPipePool } from "#platform/process-pipe.ts";
import {
	isInside,
	isProtected,
	listProtectedPaths,
	type ProductPlaces,
	type ProtectedPaths,
} from "../policy/protected.ts";
import type { Environment, ExecRequest, TerminalSize } from "./environment.ts";
import { createLocalFiles } from "./local-files.ts";
import { type Bubblewrap, detectBubblewrap, type SandboxPlan, sandboxArgv } from "./sandbox/bubblewrap.ts";
import { childEnvironment } from "./sandbox/child-environment.ts";
import { listForeignSockets } from "./sandbox/foreign-sockets.ts";
import { createGitGuard } from "./sandbox/git-guard.ts";
import { resolveRealPath } from "./sandbox/real-path.ts";
import { createScratchFolders } from "./sandbox/scratch.ts";
import { detectSeatbelt, seatbeltArgv } from "./sandbox/seatbelt.ts";
import { createTerminalHelper } from "./sandbox/terminal-helper.ts";

/** Kept output of one command: enough for any log a model can use, little enough for many at once. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;
/** Pipes made ahead; a burst beyond them falls back to Node's socket pairs. */
const PIPES_READY = 4;
/** Time a command gets between SIGTERM and SIGKILL when the environment is disposed. */
const DISPOSE_GRACE_MS = 1_000;

const ESSENTIAL = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG"] as const;

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

/** Where the belt allows temporary files. */
function openTemporary(request: ExecRequest, tmpdir: string | undefined): string[] {
	return [
		...(request.excludeSlashTmp === true ? [] : ["/tmp"]),
		...(request.excludeTmpdir === true || tmpdir === undefined ? [] : [tmpdir]),
	].map((folder) => resolveRealPath(folder));
}

/**
 * This machine as the agent's environment. Sandboxed commands end with the daemon, also when it is killed; commands with
 * full access live on as orphans that the recorded pid and start time name.
 */
export async function createLocalEnvironment(options: LocalEnvironmentOptions): Promise<LocalEnvironment> {
	const pipes = createPipePool(PIPES_READY);
	const [detected] = await Promise.all([detectBubblewrap(options.env), pipes.ready()]);
	const seatbelt = detectSeatbelt();
	const bubblewrap = typeof detected === "string" ? undefined : detected;
	const protectedPaths = listProtectedPaths(options.paths, options.env, resolveRealPath);
	const running = new Set<RunningProcess>();
	const gitGuard = createGitGuard();
	const scratch = createScratchFolders(join(options.paths.home, "scratch"), options.clock);
	scratch.sweep();
	const terminalArgv = createTerminalHelper(options.env);
	const userHome = options.env["HOME"];

	function exec(request: ExecRequest): RunningProcess {
		if (!existsSync(request.cwd)) return failedProcess(`The folder ${request.cwd} does not exist.`);
		const argv = request.tty === true ? terminalArgv(request.argv, request.size) : request.argv;
		if (typeof argv === "string") return failedProcess(argv);
		if (request.sandbox === "danger-full-access") return start(request, argv);
		if (bubblewrap !== undefined) return startFenced(request, argv, bubblewrap);
		if (typeof seatbelt !== "string") return startBelted(request, argv);
		return failedProcess("There is no sandbox on this machine, and the command was to run in one.");
	}

	function startFenced(request: ExecRequest, argv: readonly string[], program: Bubblewrap): RunningProcess {
		const place = placeOf(request, protectedPaths);
		if (typeof place === "string") return failedProcess(place);
		const guarded = gitGuard.hold(place.mode === "workspace-write" ? place.roots : []);
		const home = userHome === undefined || userHome === "" ? undefined : resolveRealPath(userHome);
		// A workspace around the home is not one whose sockets are its own.
		const own = place.roots.filter((root) => root !== "/" && (home === undefined || !isInside(home, root)));
		const sockets = listForeignSockets(options.env, own);
		const plan = {
			...place,
			sockets,
			home,
			networkAccess: request.networkAccess,
			scratch: request.scope === undefined ? undefined : scratch.of(request.scope),
			tmpReadOnly: request.excludeSlashTmp === true,
			hidden: protectedPaths,
		};
		const started = start(request, sandboxArgv(program, plan, argv));
		void started.done.then(() => guarded[Symbol.dispose]());
		return started;
	}

	function startBelted(request: ExecRequest, argv: readonly string[]): RunningProcess {
		const place = placeOf(request, protectedPaths);
		if (typeof place === "string") return failedProcess(place);
		const temporary = openTemporary(request, options.env["TMPDIR"]);
		const plan = { ...place, temporary, networkAccess: request.networkAccess, hidden: protectedPaths };
		return start(request, seatbeltArgv(plan, argv), place.cwd);
	}

	/** For a thread whose client named no environment: what a command needs to find its programs and its person. */
	const ownEssentials = Object.fromEntries(
		ESSENTIAL.flatMap((name) => (options.env[name] === undefined ? [] : [[name, options.env[name]]])),
	);

	/** @param cwd where the sandbox itself does not go to the request's folder. */
	function start(request: ExecRequest, argv: readonly string[], cwd = "/"): RunningProcess {
		const env = childEnvironment({ ...ownEssentials, ...request.env });
		if (request.sandbox !== "danger-full-access") delete env["TMPDIR"];
		const started = startProcess(
			{
				argv,
				cwd: request.sandbox === "danger-full-access" ? request.cwd : cwd,
				env,
				outputLimitBytes: OUTPUT_LIMIT_BYTES,
				...streamsOf(request),
			},
			{ clock: options.clock, pipes },
		);
		running.add(started);
		void started.done.then(() => running.delete(started));
		return withSize(started);
	}

	return {
		machineId: options.machineId,
		sandbox: {
			kind: bubblewrap !== undefined ? "bubblewrap" : typeof seatbelt === "string" ? "none" : "seatbelt",
			available: bubblewrap !== undefined || typeof seatbelt !== "string",
			detail:
				typeof detected !== "string"
					? detected.program
					: typeof seatbelt === "string"
						? detected
						: seatbelt.program,
		},
		protectedPaths,
		exec,
		...createLocalFiles(protectedPaths),
		realPath: (path) => Promise.resolve(resolveRealPath(path)),
		async [Symbol.asyncDispose]() {
			const ending = [...running];
			for (const command of ending) command.kill(DISPOSE_GRACE_MS);
			await Promise.all(ending.map((command) => command.done));
			pipes[Symbol.dispose]();
		},
	};
}

function streamsOf({ tty = false, input = false, split = false, size }: ExecRequest) {
	return { input: tty || input, split: split && !tty, control: tty && size !== undefined };
}

/** The terminal's helper takes sizes as lines (sandbox/terminal-helper.ts). */
function withSize(started: RunningProcess): RunningProcess {
	const resize = ({ rows, cols }: TerminalSize): void => started.tell(`${rows} ${cols}\n`);
	return Object.assign(started, { resize });
}

/** Where a command in the sandbox runs and what it may write, or why it must not run. */
function placeOf(
	request: ExecRequest,
	hidden: ProtectedPaths,
): Pick<SandboxPlan, "mode" | "cwd" | "roots"> | string {
	const mode = request.sandbox === "read-only" ? "read-only" : "workspace-write";
	const cwd = resolveRealPath(request.cwd);
	if (isProtected(cwd, hidden)) return `The folder ${request.cwd} is protected: no command runs there.`;
	const roots = [request.workspaceRoot ?? cwd, ...request.writableRoots].map((root) => resolveRealPath(root));
	return { mode, cwd, roots: [...new Set(roots)].filter((root) => !isProtected(root, hidden)) };
}
