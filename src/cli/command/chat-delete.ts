import { AppError } from "#base/app-error.ts";
import { defineCommand } from "../descriptor.ts";

export const chatDeleteCommand = defineCommand({
	program: "weave-codex",
	name: "chat delete",
	summary: "Delete a thread for good; `chat archive` only puts it away.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	options: [{ flags: "--yes", summary: "needed: what is deleted does not come back" }],
	examples: [{ command: "weave-codex chat delete amber --yes", says: "gone for good" }],
	json: true,
	async run(context, { args: [ref = ""], options }) {
		if (options["yes"] !== true)
			throw new AppError("USAGE", "A deleted thread does not come back; say --yes to delete it.");
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.delete", { thread_id: await resolveThread(client, ref) });
		context.print(result, `Deleted thread ${result.thread_id}.`);
		return 0;
	},
});
