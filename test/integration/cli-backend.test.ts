import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oracleMissing } from "#test/support/codex-oracle.ts";
import { ofType, type RunnerDaemon, startRunnerDaemon } from "#test/support/runner-daemon.ts";
import {
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
	writeCodexHome,
} from "#test/support/scripted-model.ts";

const say = (text: string): ScriptedResponse => ({ items: [{ type: "text", text }] });
const run = (cmd: string): ScriptedResponse => ({
	items: [{ type: "function_call", name: "exec_command", args: { cmd }, call_id: `call_${cmd.length}` }],
});

/** Texts of users and assistants in the last request, without the program's own context. */
function said(model: ScriptedModel): string[] {
	const body = model.requests.at(-1)?.body as { input: Record<string, unknown>[] };
	return body.input.flatMap((item) => {
		const content = item["content"];
		if (item["type"] !== "message" || item["role"] === "developer" || !Array.isArray(content)) return [];
		const text = content.map((part: { text?: string }) => part.text ?? "").join("");
		return text.startsWith("<environment_context>") ? [] : [text];
	});
}

describe("the codex program is not as it should be", () => {
	let root: string;

	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), "cli-backend-"));
	});
	afterAll(async () => {
		await rm(root, { recursive: true, force: true });
	});

	async function program(name: string, body: string): Promise<string> {
		const path = join(root, name);
		await writeFile(path, `#!/bin/sh\n${body}\n`);
		await chmod(path, 0o755);
		return path;
	}

	async function firstTurn(bin: string): Promise<{ status: string; message: string | undefined }> {
		await using daemon = await startRunnerDaemon("cli", { HOMIE_CODEX_BIN: bin });
		writeCodexHome(daemon.codexHome, "http://127.0.0.1:9/v1");
		using thread = await daemon.open();
		const { status, error } = await thread.turn("go");
		return { status, message: error?.message };
	}

	test("cli backend: the turn fails and says how to get the program when it is missing", async () => {
		const { status, message } = await firstTurn(join(root, "nowhere"));
		expect(status).toBe("failed");
		expect(message).toMatch(/nowhere was not found.*npm install -g @openai\/codex/);
	});

	test("cli backend: the turn fails and says what is wanted when the program is too old", async () => {
		const { message } = await firstTurn(await program("old", "echo codex-cli 0.99.0"));
		expect(message).toMatch(/codex-cli 0\.99\.0; 0\.169\.0 or newer is needed/);
	});

	test("cli backend: the turn fails with the program's last words when it ends before it answers", async () => {
		const body = 'if [ "$1" = --version ]; then echo codex-cli 9.0.0; else echo out of luck >&2; exit 3; fi';
		const { status, message } = await firstTurn(await program("broken", body));
		expect(status).toBe("failed");
		expect(message).toMatch(/ended with code 3: out of luck/);
	});
});

const missing = oracleMissing();
if (missing !== null) console.log(`the cli backend with the real codex: skipped, ${missing}`);

describe.skipIf(missing !== null)("the cli backend with the real codex", () => {
	let daemon: RunnerDaemon;

	beforeAll(async () => {
		daemon = await startRunnerDaemon("cli", { HOMIE_TOKEN: "secret-of-ours", WEAVE_TOKEN: "secret-too" });
	});
	afterAll(async () => {
		await daemon?.[Symbol.asyncDispose]();
	});

	async function script(responses: readonly ScriptedResponse[]): Promise<ScriptedModel> {
		const model = await startScriptedModel({ responses });
		writeCodexHome(daemon.codexHome, model.url, "\n[analytics]\nenabled = false\n");
		return model;
	}

	test("cli backend: the turn fails, its history stays and the next turn goes on when the program is killed in mid turn", async () => {
		await using model = await script([
			say("A"),
			{ items: [{ type: "text", chunks: ["Half ", { gate: "never" }, "unseen"] }] },
			say("B"),
			say("C"),
		]);
		using thread = await daemon.open();
		await thread.turn("one");
		const from = thread.events.length;
		const second = await thread.send("two");
		await thread.until(ofType("chat.message.delta"), from);
		const [pid = 0] = await daemon.programs();
		process.kill(pid, "SIGKILL");
		const turn = await thread.ended(second);
		expect(turn).toMatchObject({ status: "failed", error: { codexErrorInfo: "other" } });
		expect(turn.error?.message).toContain("SIGKILL");
		expect((await thread.turn("three")).status).toBe("completed");
		expect(said(model)).toEqual(["one", "A", "two", "three"]);
		await thread.turn("four");
		expect(said(model)).toEqual(["one", "A", "two", "three", "B", "four"]);
		const programs = await daemon.programs();
		expect(programs).toHaveLength(1);
		expect(programs).not.toContain(pid);
	});

	test("cli backend: the approval expires when the program dies while it is open", async () => {
		await using _model = await script([run("touch made.txt"), say("fine")]);
		using thread = await daemon.open({ approval_policy: "untrusted" });
		const turnId = await thread.send("go");
		const approval = await thread.approval();
		for (const pid of await daemon.programs()) process.kill(pid, "SIGKILL");
		expect((await thread.ended(turnId)).status).toBe("failed");
		expect((await thread.until(ofType("chat.approval.resolved"))).approval.status).toBe("expired");
		await expect(thread.answer(approval, "accept")).rejects.toThrow();
		await expect
			.poll(() => thread.completed(turnId).find((item) => item.type === "commandExecution"))
			.toMatchObject({ status: "declined" });
		expect((await thread.turn("again")).status).toBe("completed");
	});

	test("cli backend: the program knows nothing of our environment, and its commands have the thread's", async () => {
		await using model = await script([run("echo $EDITOR"), say("done")]);
		using thread = await daemon.open({
			env: { PATH: process.env["PATH"] ?? "", EDITOR: "ed-of-the-thread", HOME: daemon.root },
		});
		await thread.turn("go");
		const [pid = 0] = await daemon.programs();
		const environ = await readFile(`/proc/${pid}/environ`, "utf8");
		expect(environ).not.toMatch(/HOMIE_|WEAVE_|secret/);
		expect(JSON.stringify(model.requests.at(-1)?.body).includes("ed-of-the-thread")).toBe(true);
	});

	test("cli backend: another sandbox holds from the next turn on when the settings change", async () => {
		await using model = await script([run("touch a.txt"), say("one"), run("touch other.txt"), say("two")]);
		const cwd = await daemon.newFolder();
		using thread = await daemon.open({ cwd });
		await thread.turn("go");
		await daemon.client.call("chat.settings.update", { thread_id: thread.threadId, sandbox: "read-only" });
		await thread.turn("again");
		expect(said(model)).toEqual(["go", "one", "again"]);
		expect(await readdir(cwd)).toEqual(["a.txt"]);
	});

	test("cli backend: what the program refuses is said in its words when a turn cannot start", async () => {
		await using _model = await script([say("never")]);
		using thread = await daemon.open({ provider: "scripted" });
		writeCodexHome(daemon.codexHome, "http://127.0.0.1:9/v1", "\nthis is no toml");
		const turn = await thread.turn("go");
		expect(turn.status).toBe("failed");
		expect(turn.error?.message).not.toMatch(/internal error/i);
	});

	test("cli backend: the programs end with the daemon when it stops", async () => {
		await using _model = await script([say("A")]);
		using thread = await daemon.open();
		await thread.turn("go");
		const programs = await daemon.programs();
		expect(programs).toHaveLength(1);
		await daemon.restart();
		for (const pid of programs) expect(() => process.kill(pid, 0)).toThrow();
	});
});
