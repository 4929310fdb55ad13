import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { createEmitter } from "#base/emitter.ts";

export interface CodexNotification {
	readonly method: string;
	readonly params: Readonly<Record<string, unknown>>;
}

/** The program refused a request; `code` is its own number. */
export class CodexRefusal extends Error {
	readonly code: number;
	constructor(code: number, message: string) {
		super(message);
		this.name = "CodexRefusal";
		this.code = code;
	}
}

/** Answers what the program asks; what it throws goes back as the error of the request, and undefined is no answer. */
export type CodexRequestHandler = (request: CodexNotification) => Promise<unknown>;

/** One running `codex app-server`, spoken to in JSON lines on its standard input and output. */
export interface CodexProcess extends AsyncDisposable {
	/** @throws CodexRefusal; Error when it ends before it answers. */
	request(method: string, params?: unknown): Promise<unknown>;
	notify(method: string, params?: unknown): void;
	onNotification(listener: (notification: CodexNotification) => void): Disposable;
	/** Why it is over; resolves once. */
	readonly exited: Promise<string>;
}

export interface CodexProcessOptions {
	readonly command: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly cwd: string;
	readonly onRequest: CodexRequestHandler;
}

/** After the end of its input it has this long to leave, as the real clients give it; then it is ended. */
const LEAVE_MS = 3_000;
/** Of its standard error, kept to say why it ended. */
const STDERR_CHARS = 2_000;

type Message = { id?: unknown; method?: unknown; params?: unknown; result?: unknown; error?: unknown };

function parseLine(line: string): Message | null {
	try {
		const parsed: unknown = JSON.parse(line);
		return typeof parsed === "object" && parsed !== null ? parsed : null;
	} catch {
		return null;
	}
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function toRefusal(error: unknown): CodexRefusal {
	const { code, message } = toRecord(error);
	return new CodexRefusal(
		typeof code === "number" ? code : -32603,
		typeof message === "string" ? message : "the codex program refused the request",
	);
}

export function startCodexProcess(options: CodexProcessOptions): CodexProcess {
	const { command, env, cwd, onRequest } = options;
	const [program = "codex", ...args] = command;
	const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
	const notifications = createEmitter<CodexNotification>();
	const waiting = new Map<number, Deferred<unknown>>();
	const exited = createDeferred<string>();
	let nextId = 0;
	let stderr = "";
	let isOver = false;

	function send(message: object): void {
		if (!isOver) child.stdin.write(`${JSON.stringify(message)}\n`);
	}

	async function answer(id: unknown, request: CodexNotification): Promise<void> {
		try {
			const result = await onRequest(request);
			if (result !== undefined) send({ id, result });
		} catch (error) {
			send({ id, error: { code: -32603, message: error instanceof Error ? error.message : String(error) } });
		}
	}

	function take(message: Message): void {
		if (typeof message.method === "string") {
			const told = { method: message.method, params: toRecord(message.params) };
			if (message.id === undefined) notifications.emit(told);
			else void answer(message.id, told);
			return;
		}
		const pending = typeof message.id === "number" ? waiting.get(message.id) : undefined;
		if (pending === undefined) return;
		waiting.delete(Number(message.id));
		if (message.error === undefined) pending.resolve(message.result);
		else pending.reject(toRefusal(message.error));
	}

	function end(why: string): void {
		if (isOver) return;
		isOver = true;
		for (const pending of waiting.values()) pending.reject(new Error(why));
		waiting.clear();
		exited.resolve(why);
	}

	createInterface({ input: child.stdout }).on("line", (line) => {
		const message = parseLine(line);
		if (message !== null) take(message);
	});
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		stderr = (stderr + text).slice(-STDERR_CHARS);
	});
	child.stdin.on("error", () => undefined);
	child.on("error", (error) => end(`codex app-server could not be started: ${error.message}`));
	child.on("exit", (code, signal) => {
		const last = stderr.trim().split("\n").at(-1) ?? "";
		end(`codex app-server ended with ${signal ?? `code ${code}`}${last === "" ? "" : `: ${last}`}`);
	});

	return {
		request(method, params) {
			if (isOver) return exited.promise.then((why) => Promise.reject(new Error(why)));
			const id = nextId;
			nextId += 1;
			const pending = createDeferred<unknown>();
			waiting.set(id, pending);
			send(params === undefined ? { id, method } : { id, method, params });
			return pending.promise;
		},
		notify: (method, params) => send(params === undefined ? { method } : { method, params }),
		onNotification: (listener) => notifications.on(listener),
		exited: exited.promise,
		async [Symbol.asyncDispose]() {
			if (isOver) return;
			child.stdin.end();
			const timer = setTimeout(() => child.kill("SIGKILL"), LEAVE_MS);
			await exited.promise;
			clearTimeout(timer);
		},
	};
}
