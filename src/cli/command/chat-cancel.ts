import { defineCommand } from "../descriptor.ts";

export const chatCancelCommand = defineCommand({
	program: "weave-codex",
	name: "chat cancel",
	summary: "Interrupt the running turn of a thread.",
	description: "The turn ends at once; a command it started runs to its end and its output is kept.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	examples: [{ command: "weave-codex chat cancel amber", says: "stop what amber does" }],
	json: true,
	async run(context, { args: [ref = ""] }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.cancel", { thread_id: await resolveThread(client, ref) });
		context.print(result, `Interrupted turn ${result.turn_id}.`);
		return 0;
	},
});
