import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
	createProduct,
	type Finished,
	isAlive,
	lines,
	type Product,
	type Running,
	until,
} from "#test/support/product.ts";
import { type ScriptedModel, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";

interface ThreadRead {
	thread: { status: string };
	turns: {
		turn_id: string;
		status: string;
		reason: string | null;
		items: { type: string; status?: string; text?: string; content?: { text: string }[] }[];
	}[];
	approvals: { approval_id: string; status: string; resolved_reason: string | null; digest: string }[];
}

let product: Product;
let model: ScriptedModel;
const effect = (): string => join(product.work, "effect.txt");
/** Appends, so that a second execution would show. */
const command = {
	type: "function_call" as const,
	name: "exec_command",
	args: { cmd: "echo once >> effect.txt", sandbox_permissions: "require_escalated", justification: "x" },
};

beforeEach(async () => {
	product = await createProduct();
	model = await startScriptedModel({ responses: [] });
	writeCodexHome(product.codexHome, model.url);
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
	await model[Symbol.asyncDispose]();
});

async function killDaemon(): Promise<void> {
	const pid = product.daemonPid();
	if (pid === undefined) throw new Error("no daemon to kill");
	process.kill(pid, "SIGKILL");
	await until("the daemon is dead", () => !isAlive(pid));
}

async function startDaemon(env: Record<string, string> = {}): Promise<void> {
	const { code, stderr } = await product.start("weave-codex", ["start", "--no-tui", "--no-web"], { env })
		.finished;
	expect(code, stderr).toBe(0);
}

async function newThread(): Promise<string> {
	const params = JSON.stringify({ cwd: product.work, approval_policy: "on-request", sandbox: "read-only" });
	const { thread } = await product.json<{ thread: { thread_id: string } }>("call", "chat.create", params);
	return thread.thread_id;
}

type Shown = ThreadRead["turns"][number]["items"][number];

/** Items that a watcher was told as completed; its last line may be cut. */
function completedItems(stdout: string): Shown[] {
	const whole = stdout.slice(0, stdout.lastIndexOf("\n") + 1);
	return lines<{ payload: { type?: string; item?: Shown } }>(whole).flatMap(({ payload }) =>
		payload.type === "chat.item.completed" && payload.item !== undefined ? [payload.item] : [],
	);
}

/** A command that a dead daemon will not answer is not waited for. */
async function whileAlive(pid: number | undefined, running: Running): Promise<Finished> {
	const dead = until(
		"it is answered or the daemon is dead",
		() => running.child.exitCode !== null || !isAlive(pid),
	);
	await Promise.race([running.finished, dead]);
	// What had come by then has been printed; the rest would be patience with a daemon that does not come back.
	if (running.child.exitCode === null && !isAlive(pid)) running.child.kill("SIGKILL");
	return running.finished;
}

const send = (threadId: string, text: string) =>
	product.weave(
		"call",
		"chat.message.send",
		JSON.stringify({ thread_id: threadId, text, client_message_id: text }),
	);
const read = (threadId: string) =>
	product.json<ThreadRead>("call", "chat.thread.read", JSON.stringify({ thread_id: threadId }));
async function pendingApproval(threadId: string): Promise<ThreadRead["approvals"][number]> {
	let found: ThreadRead["approvals"][number] | undefined;
	await until("an approval waits", async () => {
		found = (await read(threadId)).approvals.find((approval) => approval.status === "pending");
		return found !== undefined;
	});
	if (!found) throw new Error("unreachable");
	return found;
}

describe("acceptance: kill -9 of the daemon", () => {
	test("in the middle of a turn: the acknowledged message is there, the turn interrupted with the reason, and the thread goes on", async () => {
		model.push(
			{ items: [{ type: "text", chunks: ["half ", { gate: "rest" }, "whole"] }] },
			{ items: [{ type: "text", text: "Again." }] },
		);
		await startDaemon();
		const threadId = await newThread();
		expect((await send(threadId, "hello")).code).toBe(0);
		await until("the model was asked", () => model.requests.length === 1);
		await killDaemon();
		await startDaemon();
		const after = await read(threadId);
		expect(after.turns.length).toBe(1);
		expect(after.turns[0]?.status).toBe("interrupted");
		expect(after.turns[0]?.reason).toMatch(/stopped|crash/);
		expect(after.turns[0]?.items[0]?.content?.[0]?.text).toBe("hello");
		expect(after.thread.status).toBe("idle");
		// A retry of the acknowledged message is the same turn, not a second one.
		expect((await send(threadId, "hello")).code).toBe(0);
		expect((await read(threadId)).turns.length).toBe(1);
		expect((await send(threadId, "go on")).code).toBe(0);
		await until(
			"the next turn is done",
			async () => (await read(threadId)).turns.at(-1)?.status === "completed",
		);
	});

	test("in the middle of an approval: it is expired with the reason, a late answer is refused with a code, nothing ran", async () => {
		model.push({ items: [command] });
		await startDaemon();
		const threadId = await newThread();
		await send(threadId, "do it");
		const approval = await pendingApproval(threadId);
		await killDaemon();
		await startDaemon();
		const params = JSON.stringify({
			approval_id: approval.approval_id,
			decision: "accept",
			digest: approval.digest,
		});
		const late = await product.weave("call", "chat.approval.respond", params, "--json");
		expect(late.code).toBe(75);
		expect(late.stderr).toContain("APPROVAL_EXPIRED");
		const { approvals } = await product.json<{ approvals: ThreadRead["approvals"] }>(
			"call",
			"chat.approval.list",
			'{"all":true}',
		);
		expect(approvals[0]?.status).toBe("expired");
		expect(approvals[0]?.resolved_reason).toMatch(/stopped|crash/);
		expect(existsSync(effect())).toBe(false);
		const { checks } = await product.json<{ checks: { name: string; state: string; detail: string }[] }>(
			"doctor",
			"--json",
		);
		expect(checks.find((check) => check.name === "audit")).toMatchObject({
			...{ state: "ok", detail: "1 rows, the chain holds" },
		});
	});

	const POINTS = [
		"chat.before-turn-commit",
		"chat.after-turn-commit",
		"chat.before-ack",
		"approval.before-commit",
		"approval.after-commit",
		"tool.before-spawn",
		"tool.after-spawn",
		"tool.before-done",
		"turn.before-end",
		"turn.after-end",
		...[3, 4, 5, 6, 7].flatMap((nth) => [`store.before-commit:${nth}`, `store.after-commit:${nth}`]),
	];
	test.each(POINTS)(
		"fault point %s: nothing acknowledged is lost and nothing is executed twice",
		async (point) => {
			model.push({ items: [command] }, { items: [{ type: "text", text: "Done." }] });
			await startDaemon({ WEAVE_FAULT: `${point}=kill` });
			const pid = product.daemonPid();
			// Each step may be the one that dies; what was acknowledged, and what was shown as done, is remembered.
			const call = (...args: string[]) => whileAlive(pid, product.start("weave-codex", args));
			const params = { cwd: product.work, approval_policy: "on-request", sandbox: "read-only" };
			const created = await call("call", "chat.create", JSON.stringify(params));
			const threadId: string | undefined =
				created.code === 0 ? JSON.parse(created.stdout).thread.thread_id : undefined;
			let acknowledged = false;
			let shown: Shown[] = [];
			if (threadId !== undefined) {
				const watcher = product.start("weave-codex", ["subscribe", `chats.activity:${threadId}`]);
				const saw = (what: string) =>
					until(`${what} or death`, () => watcher.stdout().includes(what) || !isAlive(pid));
				await saw('"snapshot"');
				const message = JSON.stringify({ thread_id: threadId, text: "do it", client_message_id: "do it" });
				acknowledged = (await call("call", "chat.message.send", message)).code === 0;
				await saw("chat.approval.required");
				if (isAlive(pid)) await call("chat", "approve");
				await saw("chat.turn.completed");
				await until("the fault has struck", () => !isAlive(pid));
				watcher.child.kill("SIGKILL");
				shown = completedItems((await watcher.finished).stdout);
			}
			await until("the fault has struck", () => !isAlive(pid));
			await startDaemon();
			if (threadId !== undefined) {
				const after = await read(threadId);
				if (acknowledged) expect(after.turns[0]?.items[0]?.content?.[0]?.text).toBe("do it");
				for (const turn of after.turns) expect(turn.status).not.toBe("inProgress");
				expect(after.approvals.filter((approval) => approval.status === "pending")).toEqual([]);
				const items = after.turns.flatMap((turn) => turn.items);
				for (const item of shown) expect(items).toContainEqual(item);
				if (acknowledged) {
					await send(threadId, "do it");
					expect((await read(threadId)).turns.length).toBe(1);
				}
			}
			const ran = existsSync(effect()) ? readFileSync(effect(), "utf8") : "";
			expect(["", "once\n"]).toContain(ran);
		},
	);

	test("a shell started before is attachable and its screen exact", async () => {
		await startDaemon();
		const { terminal } = await product.json<{ terminal: { terminal_id: string; name: string } }>(
			"call",
			"terminal.session.start",
			'{"name":"keep","cols":80,"rows":24}',
		);
		const type = (data: string) =>
			product.json("call", "terminal.session.input", JSON.stringify({ terminal: "keep", data }));
		await type("printf '\\033[31mred\\033[0m\\n'; echo ready-$((6*7))\r");
		const preview = () =>
			product.json<{ lines: string[]; cursor: unknown }>(
				"call",
				"terminal.session.preview",
				'{"terminal":"keep"}',
			);
		await until("the shell has answered", async () =>
			(await preview()).lines.some((line) => line.trim() === "ready-42"),
		);
		const before = await preview();
		const host = product.hostPid();
		await killDaemon();
		expect(isAlive(host)).toBe(true);
		await startDaemon();
		expect(await preview()).toMatchObject({ lines: before.lines, cursor: before.cursor });
		const listed = await product.json<{ terminals: { terminal_id: string; status: string }[] }>(
			"call",
			"terminal.session.list",
			"{}",
		);
		expect(listed.terminals).toMatchObject([{ terminal_id: terminal.terminal_id, status: "running" }]);
		await type("echo still-$((40+2)); exit 3\r");
		await until(
			"it has exited",
			async () =>
				(
					await product.json<{ terminals: { status: string; exit_code: number }[] }>(
						"call",
						"terminal.session.list",
						'{"all":true}',
					)
				).terminals[0]?.status === "exited",
		);
	});
});
