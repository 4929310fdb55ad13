import { defineCommand } from "../descriptor.ts";

export const chatCompactCommand = defineCommand({
	program: "weave-codex",
	name: "chat compact",
	summary: "Replace what the model knows of a thread by a summary, to make room.",
	description: "The turns stay readable. Returns once the turn that does it has started.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	examples: [{ command: "weave-codex chat compact amber", says: "make room" }],
	json: true,
	async run(context, { args: [ref = ""] }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.compact", { thread_id: await resolveThread(client, ref) });
		context.print(result, `Compacting in turn ${result.turn_id}.`);
		return 0;
	},
});
