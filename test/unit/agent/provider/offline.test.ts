import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import { parseIntent } from "#daemon/agent/provider/offline/intent.ts";
import { createLocalFiles, createNotes } from "#daemon/agent/provider/offline/local.ts";
import { createOfflineProvider } from "#daemon/agent/provider/offline/provider.ts";
import { WALK_LIMITS } from "#daemon/agent/provider/offline/walk.ts";

function createIds(): () => string {
	let serial = 0;
	return () => {
		serial += 1;
		return String(serial);
	};
}

let root = "";
let workspace = "";
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "weave-offline-"));
	workspace = join(root, "work");
	mkdirSync(workspace);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, text: string | Uint8Array): void {
	mkdirSync(join(workspace, path, ".."), { recursive: true });
	writeFileSync(join(workspace, path), text);
}

const user = (text: string): ModelItem => ({
	type: "message",
	role: "user",
	content: [{ type: "input_text", text }],
});
const EXEC: ModelItem = { type: "function", name: "exec_command" };

async function ask(
	input: readonly ModelItem[],
	options: { tools?: readonly ModelItem[]; files?: number } = {},
) {
	const ids = createIds();
	const provider = createOfflineProvider({
		files: createLocalFiles([join(workspace, "hidden")]),
		notes: createNotes({ file: join(root, "home", "memory", "notes.md"), nowMs: () => Date.UTC(2026, 0, 2) }),
		clock: systemClock,
		loginHint: "Log in like so.",
		newId: ids,
		detail: "offline",
		limits: { ...WALK_LIMITS, files: options.files ?? WALK_LIMITS.files },
	});
	const request = {
		threadId: "t",
		turnId: "u",
		model: null,
		cwd: workspace,
		input,
		tools: options.tools ?? [EXEC],
	};
	const items: ModelItem[] = [];
	let streamed = "";
	for await (const event of provider.stream(request, new AbortController().signal)) {
		if (event.type === "item_done") items.push(event.item);
		if (event.type === "text_delta") streamed += event.delta;
	}
	const text = items.flatMap((item) =>
		item.type === "message" ? (item["content"] as { text: string }[]).map((part) => part.text) : [],
	);
	expect(streamed).toBe(text.join(""));
	return { text: text.join(""), calls: items.filter((item) => item.type === "function_call") };
}

test.each([
	["!ls -la", { kind: "run", command: "ls -la" }],
	["run ls -la", { kind: "run", command: "ls -la" }],
	["Please run `npm test` for me", { kind: "run", command: "npm test" }],
	["execute: make -j2", { kind: "run", command: "make -j2" }],
	["run 'echo a b'", { kind: "run", command: "echo a b" }],
	["run the tests", { kind: "unclear_run" }],
	["grep -rn createStore", { kind: "search", query: "createStore", literal: true }],
	["search for loop guard", { kind: "search", query: "loop guard", literal: false }],
	["where is the loop guard?", { kind: "search", query: "the loop guard", literal: false }],
	["How does the lock work?", { kind: "search", query: "How does the lock work?", literal: false }],
	["note: buy milk", { kind: "note", text: "buy milk" }],
	["remember that port 4010 is taken", { kind: "note", text: "port 4010 is taken" }],
	["Message from #boss:\n\nrun date", { kind: "run", command: "date" }],
	["Reply from #boss:\n\nrun date", { kind: "reply" }],
	["notes", { kind: "notes" }],
	["help", { kind: "help" }],
	["fix the bug in parser", { kind: "other", query: "fix the bug in parser" }],
])("offline: reads %j by its rules", (text, intent) => {
	expect(parseIntent(text)).toEqual(intent);
});

test("offline: a command becomes an exec_command call, and its output the answer", async () => {
	const first = await ask([user("<environment_context>x"), user("run ls -la")]);
	expect(first.text).toBe("");
	expect(first.calls).toMatchObject([{ name: "exec_command", arguments: '{"cmd":"ls -la","login":false}' }]);
	const output =
		"Chunk ID: 1\nWall time: 0 seconds\nProcess exited with code 0\nOriginal token count: 3\nOutput:\ntotal 0\na.txt\n";
	const call = first.calls[0] ?? { type: "missing" };
	const second = await ask([
		user("run ls -la"),
		call,
		{ type: "function_call_output", call_id: "c", output },
	]);
	expect(second).toEqual({ text: "total 0\na.txt", calls: [] });
});

test("offline: a failed or refused command is told as it is", async () => {
	const call = { type: "function_call", call_id: "c", name: "exec_command", arguments: "{}" };
	const answer = async (output: string) =>
		(await ask([user("!x"), call, { type: "function_call_output", call_id: "c", output }])).text;
	expect(await answer("Process exited with code 3\nOutput:\nboom\n")).toBe("boom\n(exit code 3)");
	expect(await answer("Process exited with code 0\nOutput:\n")).toBe("(done, nothing printed)");
	expect(await answer('failed: "rejected by user"')).toBe("The command was not run: it was declined.");
	expect(await answer("not in this sandbox")).toBe("not in this sandbox");
});

test("offline: several messages are all answered, and an aborted turn is not taken up again", async () => {
	const two = await ask([user("note one"), user("!date"), user("notes")]);
	expect(two.text).toMatch(/Noted in .*\n\n1 note:\n.*notes\.md:1: - 2026-01-02 one/);
	expect(two.calls).toHaveLength(1);
	const call = { type: "function_call", call_id: "c", name: "exec_command", arguments: "{}" };
	const lost = { type: "function_call_output", call_id: "c", output: "aborted: by the user" };
	expect((await ask([user("!sleep 9"), call, lost, user("<turn_aborted>\n"), user("notes")])).text).toMatch(
		/^1 note/,
	);
});

test("offline: a search cites lines by path and number, definitions first, and says how many there are", async () => {
	file("src/guard.ts", "// nothing\nexport function loopGuard(): void {}\n");
	file("src/use.ts", "loopGuard();\nloopGuard();\n");
	file("docs/other.md", "# Other\n");
	const { text } = await ask([user("where is loopGuard")]);
	expect(text.split("\n").slice(0, 2)).toEqual([
		'3 matches for "loopguard" in 2 files:',
		"src/guard.ts:2: export function loopGuard(): void {}",
	]);
	expect(text).toContain("src/use.ts:1: loopGuard();");
});

test("offline: a search passes over hidden folders, .git, node_modules, ignored files, binaries, keys and links", async () => {
	for (const path of [
		"hidden/token",
		".git/needle",
		"node_modules/a/needle.js",
		"build/out.txt",
		"keep.log",
		".env",
		"sub/gone.txt",
	])
		file(path, "needle\n");
	file("binary", new Uint8Array([110, 101, 101, 100, 108, 101, 0, 1]));
	file(".gitignore", "# comment\nbuild/\n*.log\n!keep.log\n");
	file("sub/.gitignore", "/gone.txt\n");
	file("sub/there.txt", "a needle\n");
	const { text } = await ask([user("search needle")]);
	expect(
		text
			.split("\n")
			.slice(1)
			.map((line) => line.split(":")[0]),
	).toEqual(["keep.log", "sub/there.txt"]);
});

test("offline: a search that meets a bound says so", async () => {
	for (let index = 0; index < 5; index += 1) file(`f${index}.txt`, "needle\n");
	const { text } = await ask([user("search needle")], { files: 3 });
	expect(text).toContain("3 matches");
	expect(text).toContain("stopped at 3 files");
});

test("offline: notes are kept private, listed with lines, and found by a search", async () => {
	expect((await ask([user("remember that the port is 4010")])).text).toMatch(/^Noted in /);
	expect((await ask([user("note two\nlines")])).text).toMatch(/^Noted/);
	expect(statSync(join(root, "home", "memory", "notes.md")).mode & 0o777).toBe(0o600);
	const listed = (await ask([user("notes")])).text;
	expect(listed).toMatch(
		/^2 notes:\n.*notes\.md:1: - 2026-01-02 the port is 4010\n.*notes\.md:2: - 2026-01-02 two lines$/,
	);
	expect((await ask([user("which port?")])).text).toMatch(/notes\.md:1: /);
});

test("offline: anything else is answered honestly, with how to log in", async () => {
	file("parser.ts", "const parser = 1;\n");
	const { text } = await ask([user("fix the parser")]);
	expect(text).toContain("no language model");
	expect(text).toContain("Log in like so.");
	expect((await ask([user("hello")])).text).toContain("no language model");
	expect((await ask([user("help")])).text).toContain("!ls -la");
});

test("offline: without the exec tool it says that commands cannot be run", async () => {
	expect(await ask([user("!ls")], { tools: [] })).toEqual({
		text: "Commands can't be run in this thread.",
		calls: [],
	});
});

test("offline: a compaction keeps what was asked, without our own context", async () => {
	const provider = createOfflineProvider({
		files: createLocalFiles([]),
		notes: createNotes({ file: join(root, "notes.md"), nowMs: () => 0 }),
		clock: systemClock,
		loginHint: "Log in.",
		newId: createIds(),
		detail: "offline",
	});
	const input = [user("<environment_context>x</environment_context>"), user("find a\nb"), user("Sum it up.")];
	const request = {
		threadId: "t",
		turnId: "u",
		model: null,
		cwd: workspace,
		input,
		tools: [],
		kind: "compaction" as const,
	};
	const texts: string[] = [];
	for await (const event of provider.stream(request, new AbortController().signal))
		if (event.type === "text_delta") texts.push(event.delta);
	expect(texts.join("")).toBe("Asked so far:\n- find a");
});
