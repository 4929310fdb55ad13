import { expect, test } from "vitest";
import { importItem } from "#daemon/agent/rollout/item-in.ts";
import { exportItem } from "#daemon/agent/rollout/item-out.ts";
import type { Json } from "#daemon/agent/rollout/line.ts";
import { splitCommand } from "#daemon/agent/rollout/split-command.ts";
import { displayCommand } from "#daemon/agent/tool/command/display.ts";
import type { Item } from "#protocol/codex-item.ts";

const SHOWN = displayCommand(["/bin/bash", "-lc", `cat a.txt; echo "it's"`]);
const times = { startedAtMs: 1_000, completedAtMs: 2_500 };
const ITEMS: readonly Item[] = [
	{
		...{ type: "userMessage", id: "u1", clientId: "c-1", ...times },
		content: [
			{ type: "text", text: "Look", text_elements: [] },
			{ type: "image", url: "data:image/png;base64,AA==" },
			{ type: "localImage", path: "/work/a.png" },
			{ type: "skill", name: "s", path: "/skills/s" },
		],
	},
	{ type: "agentMessage", id: "a1", text: "Words", phase: "commentary", ...times },
	{ type: "reasoning", id: "r1", summary: ["one", "two"], content: ["raw"], ...times },
	{ type: "plan", id: "t1-plan", text: "# Plan", ...times },
	{
		...{
			type: "commandExecution",
			id: "c1",
			command: SHOWN,
			cwd: "/work/ü x",
		},
		...{
			processId: "12",
			source: "unifiedExecStartup",
			status: "failed",
			aggregatedOutput: "out",
			exitCode: 3,
		},
		...{ commandActions: [{ type: "listFiles", command: "ls", path: null }], durationMs: 1_234, ...times },
	},
	{
		...{ type: "fileChange", id: "f1", status: "declined", ...times },
		changes: [
			{ path: "/work/a", kind: { type: "add" }, diff: "x\n" },
			{ path: "/work/b", kind: { type: "update", move_path: null }, diff: "@@\n-a\n+b\n" },
			{ path: "/work/c", kind: { type: "update", move_path: "/work/d" }, diff: "@@\n\n\nMoved to: /work/d" },
			{ path: "/work/e", kind: { type: "delete" }, diff: "gone\n" },
		],
	},
	{
		...{ type: "mcpToolCall", id: "m1", server: "s", tool: "t", status: "completed", arguments: { a_b: 1 } },
		...{
			result: { content: [], structuredContent: { x_y: 1 }, _meta: null },
			error: null,
			durationMs: 7,
			...times,
		},
		pluginId: null,
	},
	{
		...{
			type: "dynamicToolCall",
			id: "d1",
			namespace: "n",
			tool: "t",
			arguments: { a: 1 },
			status: "failed",
		},
		...{ contentItems: [{ type: "inputText", text: "x" }], success: false, durationMs: 8, ...times },
	},
	{ type: "imageView", id: "i1", path: "/work/a.png", ...times },
	{
		type: "webSearch",
		id: "w1",
		query: "q",
		action: { type: "openPage", url: "http://x" },
		results: null,
		...times,
	},
	{ type: "enteredReviewMode", id: "e1", review: "current changes", ...times },
	{ type: "exitedReviewMode", id: "e2", review: "All is well.", ...times },
	{ type: "contextCompaction", id: "k1", ...times },
];

test.each(ITEMS.map((item) => [item.type, item] as const))(
	"rollout item: %s is the same after it was written and read",
	(_type, item) => {
		const event = exportItem(item, { thread_id: "x", turn_id: "t1" }, 0);
		expect(event).toMatchObject({ started_at_ms: 1_000, completed_at_ms: 2_500 });
		expect(importItem(event?.["item"] as Json, "made-up", times)).toEqual(item);
	},
);

test("rollout item: an outcome that nobody saw is written as failed, and what we don't know is not written", () => {
	const [command] = ITEMS.filter((item) => item.type === "commandExecution");
	const unknown = { ...command, status: "outcomeUnknown" } as Item;
	expect(exportItem(unknown, { thread_id: "x", turn_id: "t1" }, 0)).toMatchObject({
		item: { status: "failed" },
	});
	const foreign: Item = { type: "foreign", id: "h", payload: { type: "hologram", id: "h" } };
	expect(exportItem(foreign, { thread_id: "x", turn_id: "t1" }, 0)).toBeNull();
});

test.each([
	[["/bin/bash", "-lc", `echo 'a b' "c" $HOME; printf '%s\\n' x^y`]],
	[["git", "commit", "-m", 'it\'s "done"', ""]],
	[["bash", "-lc", "cat <<'EOF'\nline\\n\nEOF"]],
])("rollout item: a shown command splits into what it was made of (%j)", (argv) => {
	expect(splitCommand(displayCommand(argv))).toEqual(argv);
});

test("rollout item: a command whose quotes don't close goes through a shell", () => {
	expect(splitCommand("echo 'open")).toEqual(["bash", "-lc", "echo 'open"]);
});
