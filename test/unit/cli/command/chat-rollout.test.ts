import { expect, test } from "vitest";
import { chatExportCommand } from "#cli/command/chat-export.ts";
import { chatImportCommand } from "#cli/command/chat-import.ts";
import { createTestContext } from "#test/support/cli-context.ts";
import { connectedState, createFakeDaemonClient } from "#test/support/fake-daemon-client.ts";

const THREAD = "01930000-0000-7000-8000-000000000000";

async function run(
	command: typeof chatImportCommand,
	args: string[],
	options: Record<string, string | boolean>,
	answer: object,
) {
	const client = createFakeDaemonClient({ initial: connectedState(), answer: () => answer });
	const context = {
		...createTestContext({ HOME: "/nowhere" }),
		cwd: "/home/me",
		connect: async () => client,
	};
	await command.run(context, { args, options });
	return {
		call: client.calls.at(-1),
		said: context.said,
		printed: context.printed.map(({ human }) => human),
	};
}

const SCANNED = { thread: null, skipped_lines: 0, files: 3, added: 2, updated: 0, skipped_count: 1 };

test("chat import: a file is named by its whole path, and what was lost of it is said", async () => {
	const thread = { agent_name: "codex-1", thread_id: THREAD, turn_count: 4 };
	const { call, printed } = await run(
		chatImportCommand,
		["a.jsonl"],
		{},
		{ ...SCANNED, thread, skipped_lines: 2 },
	);
	expect(call).toMatchObject({ method: "chat.import", params: { path: "/home/me/a.jsonl" } });
	expect(printed).toEqual([`#codex-1 (${THREAD}), turns: 4; 2 lines could not be read.`]);
});

test("chat import: all of the Codex home are asked for by --all, and reasons are said", async () => {
	const answer = { ...SCANNED, skipped: [{ path: "/c/x.jsonl", reason: "nobody said anything in it" }] };
	const { call, said, printed } = await run(chatImportCommand, [], { all: true }, answer);
	expect(call).toMatchObject({ method: "chat.import", params: {} });
	expect(said).toEqual(["/c/x.jsonl: nobody said anything in it"]);
	expect(printed).toEqual(["Files: 3; new: 2, changed: 0, left out: 1."]);
});

test("chat import: neither a file nor --all is refused, and so are both", async () => {
	await expect(run(chatImportCommand, [], {}, SCANNED)).rejects.toMatchObject({ code: "USAGE" });
	await expect(run(chatImportCommand, ["a"], { all: true }, SCANNED)).rejects.toMatchObject({
		code: "USAGE",
	});
});

test("chat export: prints the file, and --out is taken from the caller's folder", async () => {
	const answer = { thread_id: THREAD, path: "/home/me/t.jsonl" };
	const { call, printed } = await run(chatExportCommand, [THREAD], { out: "t.jsonl" }, answer);
	expect(call).toMatchObject({
		method: "chat.export",
		params: { thread_id: THREAD, out: "/home/me/t.jsonl" },
	});
	expect(printed).toEqual(["/home/me/t.jsonl"]);
});
