import { defineCommand } from "../descriptor.ts";

export const chatArchiveCommand = defineCommand({
	program: "weave-codex",
	name: "chat archive",
	summary: "Put a thread away; it can be read and resumed.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	examples: [{ command: "weave-codex chat archive amber", says: "put it away" }],
	json: true,
	async run(context, { args: [ref = ""] }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.archive", { thread_id: await resolveThread(client, ref) });
		context.print(result, `Archived #${result.thread.agent_name} (${result.thread.thread_id}).`);
		return 0;
	},
});
