import { defineCommand } from "../descriptor.ts";
import { textOption } from "./option-value.ts";

export const chatForkCommand = defineCommand({
	program: "weave-codex",
	name: "chat fork",
	summary: "Make a new thread that goes on from another.",
	description:
		"The new thread has the same turns and settings; what is said in it later stays out of the old one.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	options: [{ flags: "--turn <id>", summary: "the last turn that it gets; default: all that have ended" }],
	examples: [{ command: "weave-codex chat fork amber", says: "try something else from here" }],
	json: true,
	async run(context, { args: [ref = ""], options }) {
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const last = textOption(options, "turn");
		const result = await client.call("chat.fork", {
			thread_id: await resolveThread(client, ref),
			...(last === undefined ? {} : { last_turn_id: last }),
		});
		context.print(result, `Forked as #${result.thread.agent_name} (${result.thread.thread_id}).`);
		return 0;
	},
});
