import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import { execCommand } from "#cli/command/exec.ts";
import type { CliContext, CommandInput } from "#cli/descriptor.ts";
import type { DaemonClient } from "#client/client.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { type Paths, resolvePaths } from "#platform/paths.ts";
import type { Approval } from "#protocol/record.ts";

let root: string;
let work: string;
let paths: Paths;
let stopDaemon: () => Promise<void>;

/** A daemon of its own, from the sources, with no login: the offline agent is real and needs no model. */
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), "chat-it-"));
	work = join(root, "work");
	await mkdir(work);
	const homes = { HOMIE_HOME: join(root, "h"), WEAVE_HOME: join(root, "w"), CODEX_HOME: join(root, "c") };
	const env = { ...process.env, ...homes };
	paths = resolvePaths(env);
	const child = spawn(process.execPath, ["daemon/entry.ts", "--no-web"], { env, stdio: "ignore" });
	stopDaemon = async () => {
		const exited = once(child, "exit");
		child.kill("SIGTERM");
		await exited;
	};
	for (;;) {
		const client = connect("probe");
		const state = await client.ready(2_000).catch(() => undefined);
		await client[Symbol.asyncDispose]();
		if (state !== undefined) return;
		if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
	}
});
afterAll(async () => {
	await stopDaemon();
	await rm(root, { recursive: true, force: true });
});

function connect(kind: string): DaemonClient {
	return connectLocal(paths, { kind, name: kind, failFast: false });
}

interface Run {
	readonly context: CliContext;
	readonly printed: unknown[];
	readonly said: string[];
	readonly abort: AbortController;
	readonly client: DaemonClient;
}

function createRun(json = false): Run {
	const printed: unknown[] = [];
	const said: string[] = [];
	const abort = new AbortController();
	const client = connect("cli");
	const stdin = new PassThrough();
	const context: CliContext = {
		program: "weave-codex",
		stdin: stdin as unknown as NodeJS.ReadStream,
		stdout: process.stdout,
		stderr: process.stderr,
		env: { PATH: process.env["PATH"] },
		cwd: work,
		paths,
		signal: abort.signal,
		json,
		connect: async () => client,
		connectOrStart: async () => client,
		print: (value, human) => void printed.push(json ? value : human),
		say: (line) => void said.push(line),
	};
	return { context, printed, said, abort, client };
}

const input = (prompt: string, options: CommandInput["options"] = {}): CommandInput => ({
	args: [prompt],
	options: { sandbox: "workspace-write", approval: "untrusted", ...options },
});

/** The first approval that waits, as a second client sees it. */
async function firstApproval(client: DaemonClient): Promise<Approval> {
	const found = createDeferred<Approval>();
	using _subscription = client.subscribe("approvals.state", {
		onSnapshot(payload) {
			const [first] = (payload as { approvals: Approval[] }).approvals;
			if (first) found.resolve(first);
		},
		onEvent(payload) {
			const event = payload as { op: string; value: Approval };
			if (event.op === "put") found.resolve(event.value);
		},
	});
	return await found.promise;
}

test("exec: acts only after another client approved, and prints the answer alone", async () => {
	const run = createRun();
	await using second = connect("phone");
	const code = execCommand.run(run.context, input("run echo approved > made.txt"));
	const approval = await firstApproval(second);
	expect(existsSync(join(work, "made.txt"))).toBe(false);
	const { approval_id, digest } = approval;
	await second.call("chat.approval.respond", { approval_id, digest, decision: "accept" });
	expect(await code).toBe(0);
	expect(existsSync(join(work, "made.txt"))).toBe(true);
	expect(run.said.some((line) => line.includes(`chat approve ${approval_id}`))).toBe(true);
	expect(run.said.some((line) => line.includes("by phone"))).toBe(true);
	await expect(
		second.call("chat.approval.respond", { approval_id, digest, decision: "decline" }),
	).rejects.toMatchObject({
		code: "APPROVAL_ALREADY_RESOLVED",
	});
	await run.client[Symbol.asyncDispose]();
});

test("exec: --json prints the thread, then events; --approval-timeout 0 exits 77 and runs nothing", async () => {
	const run = createRun(true);
	const code = await execCommand.run(run.context, input("run touch never.txt", { approvalTimeout: "0" }));
	expect(code).toBe(77);
	expect(existsSync(join(work, "never.txt"))).toBe(false);
	const types = run.printed.map((event) => (event as { type: string }).type);
	expect(types[0]).toBe("thread.started");
	expect(types).toContain("chat.approval.required");
	expect(types.at(-1)).toBe("chat.turn.completed");
	await run.client[Symbol.asyncDispose]();
});

test("exec: Ctrl+C interrupts the turn and its approval expires", async () => {
	const run = createRun();
	await using second = connect("tui");
	const code = execCommand.run(run.context, input("run touch later.txt"));
	const approval = await firstApproval(second);
	run.abort.abort(new AppError("CANCELLED", "Interrupted."));
	await expect(code).rejects.toMatchObject({ code: "CANCELLED", exitCode: 130 });
	const { thread, turns } = await second.call("chat.thread.read", { thread_id: approval.thread_id });
	expect(thread.status).toBe("idle");
	expect(turns[0]).toMatchObject({ status: "interrupted" });
	const answer = { approval_id: approval.approval_id, digest: approval.digest, decision: "accept" as const };
	await expect(second.call("chat.approval.respond", answer)).rejects.toMatchObject({
		code: "APPROVAL_EXPIRED",
	});
	await run.client[Symbol.asyncDispose]();
});

test("exec --thread: Ctrl+C while the message waits takes it back; the turn before it is left alone", async () => {
	const first = createRun();
	await using second = connect("phone");
	const busy = execCommand.run(first.context, input("run touch one.txt"));
	const approval = await firstApproval(second);
	const waiting = createRun();
	const stored = createDeferred<void>();
	const client = connect("cli");
	const call: DaemonClient["call"] = async (method, params, options) => {
		const result = await client.call(method, params, options);
		if (method === "chat.message.send") stored.resolve();
		return result;
	};
	const context = { ...waiting.context, connectOrStart: async () => ({ ...client, call }) };
	const code = execCommand.run(context, input("run touch two.txt", { thread: approval.thread_id }));
	await stored.promise;
	waiting.abort.abort(new AppError("CANCELLED", "Interrupted."));
	await expect(code).rejects.toMatchObject({ exitCode: 130 });
	const { turns } = await second.call("chat.thread.read", { thread_id: approval.thread_id });
	expect(turns.map((turn) => turn.status)).toEqual(["inProgress", "interrupted"]);
	const { approval_id, digest } = approval;
	await second.call("chat.approval.respond", { approval_id, digest, decision: "accept" });
	expect(await busy).toBe(0);
	expect([existsSync(join(work, "one.txt")), existsSync(join(work, "two.txt"))]).toEqual([true, false]);
	for (const one of [first.client, waiting.client, client]) await one[Symbol.asyncDispose]();
});

test("chat: a second client sees the same turn, its open item and the approval", async () => {
	await using first = connect("cli");
	await using second = connect("tui");
	const { thread } = await first.call("chat.create", {
		cwd: work,
		approval_policy: "untrusted",
		sandbox: "workspace-write",
	});
	const sent = await first.call("chat.message.send", {
		thread_id: thread.thread_id,
		text: "run touch a",
		client_message_id: "m1",
	});
	const approval = await firstApproval(second);
	const snapshot = createDeferred<{
		turns: { turn_id: string; items: { type: string }[] }[];
		approvals: unknown[];
	}>();
	using _subscription = second.subscribe(`chats.activity:${thread.thread_id}`, {
		onSnapshot: (payload) => snapshot.resolve(payload as never),
		onEvent: () => undefined,
	});
	const seen = await snapshot.promise;
	expect(seen.turns.map((turn) => turn.turn_id)).toEqual([sent.turn_id]);
	expect(seen.turns[0]?.items.map((item) => item.type)).toEqual(["userMessage", "commandExecution"]);
	expect(seen.approvals).toMatchObject([{ approval_id: approval.approval_id, status: "pending" }]);
	const cancelled = await second.call("chat.cancel", { thread_id: thread.thread_id });
	expect(cancelled.turn_id).toBe(sent.turn_id);
});
