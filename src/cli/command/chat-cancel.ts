import { defineCommand } from "../descriptor.ts";

export const chatCancelCommand = defineCommand({
	program: "weave-codex",
	name: "chat cancel",
	summary: "Interrupt the running turn of a thread.",
	description: "The turn ends at once, and so do the commands it started; what they said is kept.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	options: [{ flags: "--keep-commands", summary: "let the commands that it started run to their end" }],
	examples: [{ command: "weave-codex chat cancel amber", says: "stop what amber does" }],
	json: true,
	async run(context, { args: [ref = ""], options }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.cancel", {
			thread_id: await resolveThread(client, ref),
			keep_commands: options["keepCommands"] === true,
		});
		context.print(result, `Interrupted turn ${result.turn_id}.`);
		return 0;
	},
});
