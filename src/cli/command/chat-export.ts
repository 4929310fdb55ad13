import { resolve } from "node:path";
import { defineCommand } from "../descriptor.ts";
import { textOption } from "./option-value.ts";

export const chatExportCommand = defineCommand({
	program: "weave-codex",
	name: "chat export",
	summary: "Write a thread as a file that the Codex CLI resumes.",
	description:
		"Without --out the file goes into the Codex home, where `codex resume` finds it. A file that is not ours is never replaced.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	options: [{ flags: "--out <file>", summary: "instead of the Codex home", complete: "file" }],
	examples: [
		{ command: "weave-codex chat export amber", says: "then: codex resume ID" },
		{ command: "weave-codex chat export amber --out amber.jsonl", says: "a copy to keep" },
	],
	json: true,
	async run(context, { args: [ref = ""], options }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const out = textOption(options, "out");
		const result = await client.call("chat.export", {
			thread_id: await resolveThread(client, ref),
			...(out === undefined ? {} : { out: resolve(context.cwd, out) }),
		});
		context.print(result, result.path);
		return 0;
	},
});
