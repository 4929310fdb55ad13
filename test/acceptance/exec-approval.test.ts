import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProduct, isAlive, lines, type Product, until } from "#test/support/product.ts";
import { type ScriptedModel, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";

interface Event {
	type: string;
	item?: { type: string; status?: string; text?: string };
	approval?: { approval_id: string };
}

let product: Product;
let model: ScriptedModel;

const askToMakeFile = {
	type: "function_call" as const,
	name: "exec_command",
	args: {
		cmd: "touch made.txt",
		sandbox_permissions: "require_escalated",
		justification: "May I make made.txt?",
	},
};

beforeEach(async () => {
	product = await createProduct();
	model = await startScriptedModel({
		responses: [{ items: [askToMakeFile] }, { items: [{ type: "text", text: "Done." }] }],
	});
	writeCodexHome(product.codexHome, model.url);
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
	await model[Symbol.asyncDispose]();
});

function startExec(...extra: string[]) {
	return product.start("weave-codex", [
		"exec",
		"--json",
		"-C",
		product.work,
		"--approval",
		"on-request",
		"--sandbox",
		"read-only",
		...extra,
		"make a file",
	]);
}

const hasAsked = (stdout: string): boolean => stdout.includes('"chat.approval.required"');
const made = (): boolean => existsSync(join(product.work, "made.txt"));

describe("acceptance: exec under approval", () => {
	test("exec --json prints the item events; the file exists only after chat approve from a second terminal", async () => {
		const exec = startExec();
		await exec.printed(hasAsked);
		expect(made()).toBe(false);
		const approved = await product.weave("chat", "approve");
		expect(approved.code, approved.stderr).toBe(0);
		const { code, stdout, stderr } = await exec.finished;
		expect(code, stderr).toBe(0);
		expect(made()).toBe(true);
		const events = lines<Event>(stdout);
		expect(events[0]?.type).toBe("thread.started");
		const items = events
			.filter((event) => event.type === "chat.item.completed")
			.map((event) => [event.item?.type, event.item?.status ?? event.item?.text]);
		expect(items).toEqual([
			["userMessage", undefined],
			["commandExecution", "completed"],
			["agentMessage", "Done."],
		]);
		expect(events.at(-1)?.type).toBe("chat.turn.completed");
		expect(model.requests.length).toBe(2);
	});

	test("declining lets the turn go on, tells the model, and makes nothing", async () => {
		const exec = startExec();
		await exec.printed(hasAsked);
		expect((await product.weave("chat", "decline")).code).toBe(0);
		const { code, stdout } = await exec.finished;
		expect(code).toBe(0);
		expect(made()).toBe(false);
		const command = lines<Event>(stdout).find(
			(event) => event.type === "chat.item.completed" && event.item?.type === "commandExecution",
		);
		expect(command?.item?.status).toBe("declined");
		expect(JSON.stringify(model.requests[1]?.body)).toContain("rejected by user");
	});

	test("cancelling interrupts the turn (exit 130) without asking the model again", async () => {
		const exec = startExec();
		await exec.printed(hasAsked);
		expect((await product.weave("chat", "decline", "--cancel")).code).toBe(0);
		expect((await exec.finished).code).toBe(130);
		expect(made()).toBe(false);
		expect(model.requests.length).toBe(1);
	});

	test("Ctrl+C interrupts the turn and exits 130; its approval cannot be given afterwards", async () => {
		const exec = startExec();
		await exec.printed(hasAsked);
		const { approvals } = await product.json<{ approvals: { approval_id: string; digest: string }[] }>(
			"call",
			"chat.approval.list",
			"{}",
		);
		exec.child.kill("SIGINT");
		expect((await exec.finished).code).toBe(130);
		const late = await product.weave("chat", "approve", approvals[0]?.approval_id ?? "");
		expect(late.code).toBe(75);
		expect(made()).toBe(false);
		const { threads } = await product
			.json<{ threads: { status: string }[] }>("chat", "list", "--json")
			.then((value) => (Array.isArray(value) ? { threads: value } : value));
		expect(threads[0]?.status).toBe("idle");
	});

	test("--approval-timeout 0 exits 77 at once when an approval would be needed", async () => {
		const { code } = await startExec("--approval-timeout", "0").finished;
		expect(code).toBe(77);
		expect(made()).toBe(false);
	});

	test("a client that leaves and a second one see the same turn and its pending approval, and may answer it", async () => {
		const exec = startExec();
		await exec.printed(hasAsked);
		exec.child.kill("SIGKILL");
		await exec.finished;
		expect(isAlive(product.daemonPid())).toBe(true);
		const { approvals } = await product.json<{ approvals: { thread_id: string }[] }>(
			"call",
			"chat.approval.list",
			"{}",
		);
		expect(approvals.length).toBe(1);
		const watcher = product.start("weave-codex", ["subscribe", `chats.activity:${approvals[0]?.thread_id}`]);
		await watcher.printed(
			(stdout) =>
				stdout.includes('"snapshot"') && stdout.includes("make a file") && stdout.includes('"pending"'),
		);
		expect((await product.weave("chat", "approve")).code).toBe(0);
		await watcher.printed((stdout) => stdout.includes('"chat.turn.completed"'));
		watcher.child.kill("SIGTERM");
		await watcher.finished;
		await until("the file is there", made);
	});
});

describe("acceptance: without any login", () => {
	test('exec "run ls -la" --approval never --sandbox read-only gives the listing through the offline agent', async () => {
		await using offline = await createProduct();
		const { code, stdout, stderr } = await offline.start(
			"weave-codex",
			["exec", "run ls -la", "--approval", "never", "--sandbox", "read-only"],
			{
				cwd: offline.root,
			},
		).finished;
		expect(code, stderr).toBe(0);
		for (const name of ["package.json", "README.md", "src"]) expect(stdout).toContain(name);
	});

	test("the offline agent says that it is none, and how to log in", async () => {
		await using offline = await createProduct();
		const { code, stdout } = await offline.weave("exec", "write me a poem about spring");
		expect(code).toBe(0);
		expect(stdout).toMatch(/(no|not a) language model/i);
		expect(stdout).toMatch(/log ?in/i);
	});

	test("a thread whose client named no environment still finds its programs and its home", async () => {
		await using offline = await createProduct();
		expect((await offline.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		const params = { cwd: offline.work, agent_name: "bare", approval_policy: "never", sandbox: "read-only" };
		await offline.json("call", "chat.create", JSON.stringify(params));
		const { code, stdout } = await offline.weave("send", '#bare run echo "$HOME" && command -v ls', "--wait");
		expect(code).toBe(0);
		expect(stdout).toContain(offline.dir);
		expect(stdout).toMatch(/\/ls$/m);
	});
});
