import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDeferred } from "#base/deferred.ts";
import type { DaemonClient } from "#client/client.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { resolvePaths } from "#platform/paths.ts";
import { type ChatEvent, chatEventSchema } from "#protocol/chat-event.ts";
import type { Item } from "#protocol/codex-item.ts";
import type { Approval, ApprovalDecision, Question, RunnerKind, Turn } from "#protocol/record.ts";
import type { MethodInput } from "#protocol/service/index.ts";
import { oracleBinary } from "./codex-oracle.ts";

/** A daemon from its sources whose turns are run by one backend, spoken to over its socket. Whoever starts it disposes it. */
export interface RunnerDaemon extends AsyncDisposable {
	readonly backend: RunnerKind;
	readonly root: string;
	readonly codexHome: string;
	readonly home: string;
	readonly client: DaemonClient;
	newFolder(): Promise<string>;
	/** Ends it by the signal and starts it again on the same homes. */
	restart(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
	/** Pids of its `codex app-server`s. */
	programs(): Promise<number[]>;
	open(params?: Partial<MethodInput<"chat.create">>): Promise<RunnerThread>;
	/** Follows a thread that is there. */
	follow(threadId: string): Promise<RunnerThread>;
}

/** One thread as a client sees it. */
export interface RunnerThread extends Disposable {
	readonly threadId: string;
	readonly events: readonly ChatEvent[];
	send(text: string): Promise<string>;
	/** Sends, and resolves with the turn once it has ended. */
	turn(text: string): Promise<Turn>;
	/** Resolves with the first event, or the first after `from`, that satisfies it. */
	until<E extends ChatEvent>(check: (event: ChatEvent) => event is E, from?: number): Promise<E>;
	ended(turnId: string): Promise<Turn>;
	approval(): Promise<Approval>;
	question(): Promise<Question>;
	answer(approval: Approval, decision: ApprovalDecision): Promise<void>;
	/** Items of the turn as they were completed, in order. */
	completed(turnId: string): Item[];
	said(turnId: string): string;
}

export async function pidsOf(parent: number, what: string): Promise<number[]> {
	const found: number[] = [];
	for (const name of await readdir("/proc")) {
		if (!/^\d+$/.test(name)) continue;
		try {
			const stat = await readFile(`/proc/${name}/stat`, "utf8");
			const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
			const line = await readFile(`/proc/${name}/cmdline`, "utf8");
			if (Number(rest[1]) === parent && rest[0] !== "Z" && line.includes(what)) found.push(Number(name));
		} catch {
			// It ended while we looked.
		}
	}
	return found;
}

const ofType =
	<T extends ChatEvent["type"]>(type: T) =>
	(event: ChatEvent): event is Extract<ChatEvent, { type: T }> =>
		event.type === type;

/** An event of that type, for `until`. */
export { ofType };

async function followThread(client: DaemonClient, threadId: string): Promise<RunnerThread> {
	const events: ChatEvent[] = [];
	const watchers = new Set<() => void>();
	const subscribed = createDeferred<void>();
	let approvalsSeen = 0;
	let questionsSeen = 0;
	const subscription = client.subscribe(`chats.activity:${threadId}`, {
		onSnapshot: () => subscribed.resolve(),
		onEvent(payload) {
			events.push(chatEventSchema.parse(payload));
			for (const watcher of [...watchers]) watcher();
		},
	});
	await subscribed.promise;

	function until<E extends ChatEvent>(check: (event: ChatEvent) => event is E, from = 0): Promise<E> {
		const found = createDeferred<E>();
		function look(): void {
			const event = events.slice(from).find(check);
			if (event === undefined) return;
			watchers.delete(look);
			found.resolve(event);
		}
		watchers.add(look);
		look();
		return found.promise;
	}

	async function nth<E extends ChatEvent>(check: (event: ChatEvent) => event is E, skip: number): Promise<E> {
		let from = 0;
		for (let left = skip; left > 0; left -= 1) from = events.indexOf(await until(check, from)) + 1;
		return await until(check, from);
	}

	const send = async (text: string): Promise<string> =>
		(await client.call("chat.message.send", { thread_id: threadId, text })).turn_id;
	const ended = async (turnId: string): Promise<Turn> => {
		const isEnd = (event: ChatEvent): event is Extract<ChatEvent, { type: "chat.turn.completed" }> =>
			event.type === "chat.turn.completed" && event.turn_id === turnId;
		return (await until(isEnd)).turn;
	};
	const completed = (turnId: string): Item[] =>
		events.flatMap((event) =>
			event.type === "chat.item.completed" && event.turn_id === turnId ? [event.item] : [],
		);

	return {
		threadId,
		events,
		send,
		until,
		ended,
		completed,
		turn: async (text) => await ended(await send(text)),
		async approval() {
			approvalsSeen += 1;
			return (await nth(ofType("chat.approval.required"), approvalsSeen - 1)).approval;
		},
		async question() {
			questionsSeen += 1;
			return (await nth(ofType("chat.question.required"), questionsSeen - 1)).question;
		},
		async answer({ approval_id, digest }, decision) {
			await client.call("chat.approval.respond", { approval_id, digest, decision });
		},
		said: (turnId) =>
			completed(turnId)
				.flatMap((item) => (item.type === "agentMessage" ? [item.text] : []))
				.join("|"),
		[Symbol.dispose]: () => subscription[Symbol.dispose](),
	};
}

/** `env`: beside the homes, on top. */
export async function startRunnerDaemon(
	backend: RunnerKind,
	env: Readonly<Record<string, string>> = {},
): Promise<RunnerDaemon> {
	const root = await realpath(await mkdtemp(join(tmpdir(), "runner-")));
	const codexHome = join(root, "codex");
	// The real program refuses a Codex home below TMPDIR.
	const tmp = join(root, "tmp");
	const home = join(root, "home");
	await Promise.all([mkdir(codexHome), mkdir(tmp), mkdir(home)]);
	const own = { PATH: process.env["PATH"] ?? "", HOME: root, LANG: "C.UTF-8", SHELL: "/bin/bash" };
	const all = {
		...own,
		HOMIE_HOME: home,
		WEAVE_HOME: join(root, "weave"),
		CODEX_HOME: codexHome,
		TMPDIR: tmp,
		HOMIE_AGENT_BACKEND: backend,
		HOMIE_CODEX_BIN: oracleBinary() ?? "",
		...env,
	};
	let child: ChildProcess;
	let client: DaemonClient;
	let folders = 0;

	async function start(): Promise<void> {
		child = spawn(process.execPath, ["daemon/entry.ts", "--no-web"], {
			env: all,
			stdio: ["ignore", "ignore", "inherit"],
		});
		const exited = once(child, "exit");
		client = connectLocal(resolvePaths(all), { kind: "cli", name: "contract test", failFast: false });
		await Promise.race([
			client.ready(30_000),
			exited.then(([code]) => Promise.reject(new Error(`the daemon ended with ${String(code)}`))),
		]);
	}

	async function stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
		await client[Symbol.asyncDispose]();
		const exited = once(child, "exit");
		child.kill(signal);
		await exited;
	}

	async function newFolder(): Promise<string> {
		folders += 1;
		const folder = join(root, `work${folders}`);
		await mkdir(folder);
		return folder;
	}

	await start();
	return {
		backend,
		root,
		home,
		codexHome,
		newFolder,
		get client() {
			return client;
		},
		async restart(signal = "SIGTERM") {
			await stop(signal);
			await start();
		},
		programs: () => pidsOf(child.pid ?? 0, "app-server"),
		async open(params = {}) {
			const { thread } = await client.call("chat.create", {
				cwd: params.cwd ?? (await newFolder()),
				env: own,
				model: "gpt-5.5",
				approval_policy: "never",
				sandbox: "danger-full-access",
				...params,
			});
			return await followThread(client, thread.thread_id);
		},
		follow: (threadId) => followThread(client, threadId),
		async [Symbol.asyncDispose]() {
			await stop("SIGTERM");
			await rm(root, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}
