import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a finished command line left. */
export interface Finished {
	code: number | null;
	stdout: string;
	stderr: string;
}

export interface Running {
	readonly child: ChildProcess;
	readonly finished: Promise<Finished>;
	/** What was printed so far. */
	stdout(): string;
	stderr(): string;
	/** Resolves when `check` holds for what was printed; rejects when the command ends first. */
	printed(check: (stdout: string, stderr: string) => boolean): Promise<void>;
}

/** The installed product with homes of its own: the same files a user runs, no module of ours loaded here. */
export interface Product extends AsyncDisposable {
	readonly root: string;
	readonly dir: string;
	readonly home: string;
	readonly weaveHome: string;
	readonly codexHome: string;
	/** A folder to work in, inside no git repository. */
	readonly work: string;
	readonly env: Record<string, string>;
	start(program: "weave-codex" | "homie", args: readonly string[], options?: RunOptions): Running;
	weave(...args: string[]): Promise<Finished>;
	homie(...args: string[]): Promise<Finished>;
	/** Like weave, but throws unless it exits 0; parses the JSON that it printed. */
	json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
	daemonPid(): number | undefined;
	hostPid(): number | undefined;
}

interface RunOptions {
	cwd?: string;
	env?: Record<string, string>;
	input?: string;
}

export const ROOT = join(import.meta.dirname, "../..");
/** The pinned Node: the tests run under it. */
export const NODE = process.execPath;

function readPid(path: string): number | undefined {
	if (!existsSync(path)) return undefined;
	try {
		const pid: unknown = JSON.parse(readFileSync(path, "utf8")).pid;
		return typeof pid === "number" ? pid : undefined;
	} catch {
		return undefined;
	}
}

export function isAlive(pid: number | undefined): boolean {
	if (pid === undefined) return false;
	try {
		process.kill(pid, 0);
	} catch {
		return false;
	}
	// A zombie has ended; only its parent has not looked yet.
	const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
	return !/^\d+ \(.*\) Z/s.test(stat);
}

/** Polls `check` until it is true; the bound is for a hang, not for timing. */
export async function until(
	what: string,
	check: () => boolean | Promise<boolean>,
	timeoutMs = 20_000,
): Promise<void> {
	const deadline = Date.now() + timeoutMs;
	while (!(await check())) {
		if (Date.now() > deadline) throw new Error(`gave up waiting until ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

function track(child: ChildProcess): Running {
	let out = "";
	let err = "";
	let ended = false;
	const watchers = new Set<() => void>();
	const wake = (): void => {
		for (const watcher of [...watchers]) watcher();
	};
	child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
		out += chunk;
		wake();
	});
	child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
		err += chunk;
		wake();
	});
	const finished = new Promise<Finished>((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code) => {
			ended = true;
			wake();
			resolve({ code, stdout: out, stderr: err });
		});
	});
	return {
		child,
		finished,
		stdout: () => out,
		stderr: () => err,
		printed(check) {
			return new Promise((resolve, reject) => {
				const look = (): void => {
					if (check(out, err)) resolve();
					else if (ended)
						reject(new Error(`it ended before that was printed.\nstdout: ${out}\nstderr: ${err}`));
					else return;
					watchers.delete(look);
				};
				watchers.add(look);
				look();
			});
		},
	};
}

/** `under` a short temp folder, so that socket paths stay short; disposing stops what runs and removes it all. */
export async function createProduct(env: Record<string, string> = {}): Promise<Product> {
	const dir = await mkdtemp(join(tmpdir(), "wc-"));
	const [home, weaveHome, codexHome, work] = ["h", "w", "c", "work"].map((name) => join(dir, name)) as [
		string,
		string,
		string,
		string,
	];
	await Promise.all([mkdir(codexHome), mkdir(work)]);
	const fullEnv: Record<string, string> = {
		PATH: process.env["PATH"] ?? "",
		HOME: dir,
		SHELL: "/bin/bash",
		LANG: "C.UTF-8",
		TERM: "xterm-256color",
		HOMIE_HOME: home,
		WEAVE_HOME: weaveHome,
		CODEX_HOME: codexHome,
		// Parallel suites must not fight for 9800: a free port is taken where it is busy anyway.
		XDG_CACHE_HOME: join(tmpdir(), "weave-codex-test-cache"),
		...env,
	};
	function start(
		program: "weave-codex" | "homie",
		args: readonly string[],
		options: RunOptions = {},
	): Running {
		const child = spawn(NODE, [join(ROOT, "bin", `${program}.js`), ...args], {
			cwd: options.cwd ?? work,
			env: { ...fullEnv, ...options.env },
			stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
		});
		if (options.input !== undefined) child.stdin?.end(options.input);
		return track(child);
	}
	const product: Product = {
		root: ROOT,
		dir,
		home,
		weaveHome,
		codexHome,
		work,
		env: fullEnv,
		start,
		weave: (...args) => start("weave-codex", args).finished,
		homie: (...args) => start("homie", args).finished,
		async json<T>(...args: string[]) {
			const { code, stdout, stderr } = await start("weave-codex", args).finished;
			if (code !== 0) throw new Error(`weave-codex ${args.join(" ")} exited ${code}\n${stdout}\n${stderr}`);
			return JSON.parse(stdout) as T;
		},
		daemonPid: () => readPid(join(home, "daemon.json")),
		hostPid: () => readPid(join(home, "pty-host.json")),
		async [Symbol.asyncDispose]() {
			const pids = [product.daemonPid(), product.hostPid()];
			await start("weave-codex", ["stop", "--terminals", "--force"]).finished;
			for (const pid of pids) if (isAlive(pid) && pid !== undefined) process.kill(pid, "SIGKILL");
			await rm(dir, { recursive: true, force: true, maxRetries: 5 });
		},
	};
	return product;
}

/** NDJSON of a stream, parsed. */
export function lines<T = Record<string, unknown>>(text: string): T[] {
	return text
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line) as T);
}

/** What is left below a folder, as relative paths. */
export function leftBelow(folder: string): string[] {
	return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).sort() : [];
}
