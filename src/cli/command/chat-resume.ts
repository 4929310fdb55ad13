import { defineCommand } from "../descriptor.ts";

export const chatResumeCommand = defineCommand({
	program: "weave-codex",
	name: "chat resume",
	summary: "Take an archived thread back into use.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	examples: [{ command: "weave-codex chat resume amber", says: "use it again" }],
	json: true,
	async run(context, { args: [ref = ""] }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.resume", { thread_id: await resolveThread(client, ref) });
		context.print(result, `In use: #${result.thread.agent_name} (${result.thread.thread_id}).`);
		return 0;
	},
});
