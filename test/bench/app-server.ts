import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createDeferred, type Deferred } from "#base/deferred.ts";

/** A server that stays after its input ended is ended by force. */
const STOP_MS = 5_000;

interface Message {
	readonly id?: number;
	readonly method?: string;
	readonly params?: { threadId?: string; turn?: { id: string; status: string } };
	readonly result?: Record<string, unknown>;
	readonly error?: { message: string };
}

/** One app-server on stdio with the same client code for whoever serves it. Whoever starts it disposes it. */
export interface AppServer extends AsyncDisposable {
	readonly pid: number;
	/** How many notifications came so far, by thread and method: `THREAD turn/started`. */
	readonly counts: ReadonlyMap<string, number>;
	startThread(params: Record<string, unknown>): Promise<string>;
	/** Milliseconds from the request to the end of the turn. @throws Error unless it is completed. */
	turn(threadId: string): Promise<number>;
}

interface Launch {
	readonly argv: readonly [string, ...string[]];
	readonly env: Record<string, string>;
	readonly cwd: string;
}

/** Starts the server and greets it. */
export async function startAppServer({ argv: [program, ...args], env, cwd }: Launch): Promise<AppServer> {
	const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "ignore"] });
	const exited = once(child, "exit");
	const answers = new Map<number, Deferred<Record<string, unknown>>>();
	const turns = new Map<string, Deferred<string>>();
	const counts = new Map<string, number>();
	let serial = 0;

	function notice(method: string, params: Message["params"]): void {
		const threadId = params?.threadId ?? "";
		const key = `${threadId} ${method}`;
		counts.set(key, (counts.get(key) ?? 0) + 1);
		if (method === "turn/completed") turns.get(threadId)?.resolve(params?.turn?.status ?? "unknown");
	}

	function take(line: string): void {
		const { id, method, params, result, error } = JSON.parse(line) as Message;
		if (method !== undefined) {
			notice(method, params);
			return;
		}
		const answer = answers.get(id ?? -1);
		answers.delete(id ?? -1);
		if (error) answer?.reject(new Error(error.message));
		else answer?.resolve(result ?? {});
	}

	async function request(method: string, params: unknown): Promise<Record<string, unknown>> {
		const id = serial;
		serial += 1;
		const answer = createDeferred<Record<string, unknown>>();
		answers.set(id, answer);
		child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
		return answer.promise;
	}

	createInterface({ input: child.stdout }).on("line", take);
	child.stdin.on("error", () => undefined);
	void exited.then(() => {
		const gone = new Error(`${program} has ended`);
		for (const waiting of [...answers.values(), ...turns.values()]) waiting.reject(gone);
	});
	const clientInfo = { name: "bench", title: "Bench", version: "0.0.1" };
	await request("initialize", { clientInfo, capabilities: { experimentalApi: true } });
	child.stdin.write(`${JSON.stringify({ method: "initialized" })}\n`);
	return {
		pid: child.pid ?? 0,
		counts,
		async startThread(params) {
			const { thread } = (await request("thread/start", params)) as { thread: { id: string } };
			return thread.id;
		},
		async turn(threadId) {
			const ended = createDeferred<string>();
			turns.set(threadId, ended);
			const startedMs = performance.now();
			const input = [{ type: "text", text: "go", text_elements: [] }];
			await request("turn/start", { threadId, input });
			const status = await ended.promise;
			if (status !== "completed") throw new Error(`a turn ended as ${status}`);
			return performance.now() - startedMs;
		},
		async [Symbol.asyncDispose]() {
			child.stdin.end();
			const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
			await exited;
			clearTimeout(timer);
		},
	};
}

function parentOf(pid: string): number {
	try {
		return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
	} catch {
		return 0;
	}
}

/** Resident memory of a process and of all below it, in MB. Linux. */
export function treeRssMb(root: number): number {
	const parents = readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map((pid) => [Number(pid), parentOf(pid)] as const);
	const tree = new Set([root]);
	for (let before = 0; before !== tree.size; ) {
		before = tree.size;
		for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
	}
	let kib = 0;
	for (const pid of tree)
		kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
	return (kib * 1024) / 1e6;
}
