import { defineCommand } from "../descriptor.ts";

export const chatRenameCommand = defineCommand({
	program: "weave-codex",
	name: "chat rename",
	summary: "Set a thread's title; `agent rename` changes its agent's name.",
	arguments: [
		{ name: "thread", summary: "id or agent name", required: true, complete: "thread" },
		{ name: "title", summary: "the new title", required: true, variadic: true },
	],
	examples: [{ command: 'weave-codex chat rename amber "Flaky login test"', says: "give it a title" }],
	json: true,
	async run(context, { args: [ref = "", ...words] }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.rename", {
			thread_id: await resolveThread(client, ref),
			title: words.join(" "),
		});
		context.print(result, `#${result.thread.agent_name} is now titled ${result.thread.title ?? ""}.`);
		return 0;
	},
});
