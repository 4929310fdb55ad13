import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

const ORACLE_ROOT = join(import.meta.dirname, "../oracle");

/** The native program, not its npm shim: a shim more between us and it would be measured and killed in its place. */
function findBinary(): string | null {
	const shim = join(ORACLE_ROOT, "node_modules/@openai/codex/package.json");
	if (!existsSync(shim)) return null;
	const triples: Record<string, string> = {
		"linux-x64": "x86_64-unknown-linux-musl",
		"linux-arm64": "aarch64-unknown-linux-musl",
		"darwin-x64": "x86_64-apple-darwin",
		"darwin-arm64": "aarch64-apple-darwin",
	};
	const platform = `${process.platform}-${process.arch}`;
	try {
		const own = createRequire(shim).resolve(`@openai/codex-${platform}/package.json`);
		const binary = join(dirname(own), "vendor", triples[platform] ?? platform, "bin/codex");
		return existsSync(binary) ? binary : null;
	} catch {
		return null;
	}
}

const BINARY = findBinary();

/** Why there is nothing to compare with; null when there is. */
export function oracleMissing(): string | null {
	return BINARY === null
		? "the real codex is not installed under test/oracle; `npm run oracle` does that (400 MB)"
		: null;
}

/** The real program, for whoever starts it by itself; null where it is not installed. */
export const oracleBinary = (): string | null => BINARY;

export interface OracleMessage {
	readonly method: string;
	readonly params: Record<string, unknown>;
	/** Present when an answer is awaited. */
	readonly id?: number | string;
}

/** A running `codex app-server`, spoken to in JSON lines. Whoever starts it disposes it. */
export interface CodexOracle extends AsyncDisposable {
	readonly pid: number;
	/** Rejects with the server's own message. */
	request(method: string, params: unknown): Promise<Record<string, unknown>>;
	/** Hears every notification and every question; returns how to stop. */
	listen(listener: (message: OracleMessage) => void): Disposable;
	respond(id: number | string, result: unknown): void;
}

interface OracleOptions {
	/** Holds its home, temp and Codex folders; exists. */
	root: string;
	codexHome: string;
}

/** No proxy listens there: whatever is not on this machine is refused at once, so that a test reaches nobody. */
const NOBODY = "http://127.0.0.1:9";

async function launch({ root, codexHome }: OracleOptions): Promise<ChildProcess> {
	if (BINARY === null) throw new Error(oracleMissing() ?? "");
	// It refuses a Codex home below TMPDIR, and the test's own root is in one.
	const tmp = join(root, "codex-tmp");
	await mkdir(tmp, { recursive: true });
	return spawn(BINARY, ["app-server"], {
		cwd: root,
		env: {
			PATH: process.env["PATH"],
			HOME: root,
			LANG: "C.UTF-8",
			SHELL: "/bin/bash",
			TMPDIR: tmp,
			CODEX_HOME: codexHome,
			HTTPS_PROXY: NOBODY,
			NO_PROXY: "127.0.0.1,localhost",
		},
		stdio: ["pipe", "pipe", "ignore"],
	});
}

interface Answer {
	resolve(result: Record<string, unknown>): void;
	reject(error: Error): void;
}

function settle(answer: Answer, message: Record<string, unknown>): void {
	const error = message["error"] as { message?: string } | undefined;
	if (error) answer.reject(new Error(error.message ?? "refused"));
	else answer.resolve((message["result"] ?? {}) as Record<string, unknown>);
}

/** Starts the server and greets it. @throws Error when it is not installed or does not answer. */
export async function startCodexOracle(options: OracleOptions): Promise<CodexOracle> {
	const child = await launch(options);
	const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
	const answers = new Map<unknown, Answer>();
	const listeners = new Set<(message: OracleMessage) => void>();
	let serial = 0;

	function write(message: Record<string, unknown>): void {
		child.stdin?.write(`${JSON.stringify(message)}\n`);
	}

	function take(line: string): void {
		const message = JSON.parse(line) as Record<string, unknown>;
		if (typeof message["method"] === "string") {
			for (const listener of [...listeners]) listener(message as unknown as OracleMessage);
			return;
		}
		const answer = answers.get(message["id"]);
		answers.delete(message["id"]);
		if (answer) settle(answer, message);
	}

	function request(method: string, params: unknown): Promise<Record<string, unknown>> {
		const id = serial;
		serial += 1;
		return new Promise((resolve, reject) => {
			answers.set(id, { resolve, reject });
			write({ id, method, params });
		});
	}

	if (child.stdout) createInterface({ input: child.stdout }).on("line", take);
	child.once("error", () => undefined);
	child.stdin?.on("error", () => undefined);
	void exited.then(() => {
		for (const answer of answers.values()) answer.reject(new Error("codex app-server has ended"));
	});
	await request("initialize", {
		clientInfo: { name: "parity_test", title: "Parity test", version: "0.0.1" },
		capabilities: { experimentalApi: false, requestAttestation: false },
	});
	write({ method: "initialized" });
	return {
		pid: child.pid ?? 0,
		request,
		listen(listener) {
			listeners.add(listener);
			return { [Symbol.dispose]: () => void listeners.delete(listener) };
		},
		respond: (id, result) => write({ id, result }),
		async [Symbol.asyncDispose]() {
			child.stdin?.end();
			const bound = setTimeout(() => child.kill("SIGKILL"), 3_000);
			await exited;
			clearTimeout(bound);
		},
	};
}
