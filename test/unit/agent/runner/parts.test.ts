import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createActivity } from "#daemon/agent/runner/activity.ts";
import { findGitHead } from "#daemon/agent/runner/git-head.ts";
import { repairHistory } from "#daemon/agent/runner/history-repair.ts";
import { createLane } from "#daemon/agent/runner/lane.ts";
import { createLiveItems } from "#daemon/agent/runner/live-items.ts";
import { allowedEnv } from "#daemon/agent/runner/thread-env.ts";
import { assertFolder, findGitFolder } from "#daemon/agent/runner/thread-folder.ts";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";

const of = (item_id: string) => ({ thread_id: "t", turn_id: "u", item_id });

test("activity: deltas of one item are joined for 8 ms, and go out before the next event", () => {
	const clock = createFakeClock();
	const sent: ChatEvent[] = [];
	const activity = createActivity(clock, (event) => sent.push(event));
	activity.delta({ type: "chat.message.delta", ...of("a"), delta: "x" });
	activity.delta({ type: "chat.command.output", ...of("b"), delta: "1" });
	activity.delta({ type: "chat.message.delta", ...of("a"), delta: "y" });
	expect(sent).toEqual([]);
	clock.advance(8);
	expect(sent).toMatchObject([{ delta: "xy" }, { delta: "1" }]);
	activity.delta({ type: "chat.message.delta", ...of("a"), delta: "z" });
	activity.event({ type: "chat.diff.updated", thread_id: "t", turn_id: "u", diff: "d" });
	expect(sent.slice(2)).toMatchObject([{ delta: "z" }, { type: "chat.diff.updated" }]);
	expect(clock.pending).toBe(0);
});

test("lane: lets the next one in when a place is free, and forgets one that was aborted while waiting", async () => {
	const lane = createLane(1);
	const signal = new AbortController().signal;
	const first = await lane.enter(signal);
	const leaving = new AbortController();
	const gone = lane.enter(leaving.signal);
	const next = lane.enter(signal);
	leaving.abort("cut");
	await expect(gone).rejects.toBe("cut");
	expect([lane.running, lane.waiting]).toEqual([1, 1]);
	first[Symbol.dispose]();
	first[Symbol.dispose]();
	const second = await next;
	expect([lane.running, lane.waiting]).toEqual([1, 0]);
	second[Symbol.dispose]();
	expect(lane.running).toBe(0);
});

test("live items: a second item of the same id gets a place of its own once the first is closed", () => {
	const items = createLiveItems([]);
	const item = (text: string) => ({ type: "agentMessage" as const, id: "m", text, phase: null });
	expect(items.start(item(""))).toBe(0);
	items.appendText("m", "ab");
	expect(items.takeDirty()).toMatchObject([{ ordinal: 0, item: { text: "ab" } }]);
	expect(items.takeDirty()).toEqual([]);
	expect(items.complete(item("abc"))).toBe(0);
	expect(items.list()).toMatchObject([{ text: "ab" }]);
	items.reveal(0);
	expect(items.start(item(""))).toBe(1);
	expect(items.list().map((entry) => "text" in entry && entry.text)).toEqual(["abc", ""]);
});

test("history: a call without an output gets one right behind it, the others stay as they are", () => {
	const call = { type: "function_call", name: "x", call_id: "c1", arguments: "{}" };
	const custom = { type: "custom_tool_call", name: "y", call_id: "c2", input: "" };
	const output = { type: "custom_tool_call_output", call_id: "c2", output: "ok" };
	const repaired = repairHistory([call, custom, output]);
	expect(repaired.map((item) => item.type)).toEqual([
		"function_call",
		"function_call_output",
		"custom_tool_call",
		"custom_tool_call_output",
	]);
	expect(repairHistory(repaired)).toEqual(repaired);
});

test("thread environment: only what is on the list is kept", () => {
	const env = {
		PATH: "/bin",
		LC_ALL: "C",
		OPENAI_API_KEY: "s",
		HOMIE_HOME: "/h",
		LANG: "a\0b",
		USER: undefined,
	};
	expect(allowedEnv(env)).toEqual({ PATH: "/bin", LC_ALL: "C" });
});

test("git head: read from loose and packed refs, also in a worktree; git is asked only where the files do not say", async () => {
	const root = await mkdtemp(join(tmpdir(), "git-head-"));
	const asked: string[] = [];
	const ports = {
		readText: (path: string) => readFile(path, "utf8").catch(() => undefined),
		askGit: async (folder: string) => {
			asked.push(folder);
			return "from git";
		},
	};
	const id = (digit: string): string => digit.repeat(40);
	try {
		const git = join(root, "repo", ".git");
		const tree = join(git, "worktrees", "w");
		await mkdir(join(git, "refs", "heads"), { recursive: true });
		await mkdir(tree, { recursive: true });
		await mkdir(join(root, "repo", "src"));
		await mkdir(join(root, "w"));
		await writeFile(join(git, "HEAD"), "ref: refs/heads/main\n");
		await writeFile(join(git, "packed-refs"), `# pack-refs\n${id("a")} refs/heads/main\n`);
		await writeFile(join(tree, "HEAD"), "ref: refs/heads/side\n");
		await writeFile(join(tree, "commondir"), "../..\n");
		await writeFile(join(git, "refs", "heads", "side"), `${id("b")}\n`);
		await writeFile(join(root, "w", ".git"), `gitdir: ${tree}\n`);
		expect(await findGitHead(ports, join(root, "repo", "src"))).toBe(id("a"));
		expect(await findGitHead(ports, join(root, "w"))).toBe(id("b"));
		await writeFile(join(git, "refs", "heads", "main"), `${id("c")}\n`);
		expect(await findGitHead(ports, join(root, "repo"))).toBe(id("c"));
		expect([await findGitHead(ports, root), asked]).toEqual([null, []]);
		await writeFile(join(git, "HEAD"), "ref: refs/heads/.invalid\n");
		expect(await findGitHead(ports, join(root, "repo"))).toBe("from git");
		expect(asked).toEqual([join(root, "repo")]);
		expect(await findGitFolder(ports.readText, root)).toBeNull();
		await expect(assertFolder(join(root, "nope"))).rejects.toMatchObject({ code: "INVALID_PARAMS" });
		await expect(assertFolder("repo")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
	} finally {
		await rm(root, { recursive: true, force: true });
	}
});
