import { defineCommand } from "../descriptor.ts";
import { parseWhole } from "./option-value.ts";

export const chatRollbackCommand = defineCommand({
	program: "weave-codex",
	name: "chat rollback",
	summary: "Take the newest turns out of a thread; files stay as they are.",
	arguments: [
		{ name: "thread", summary: "id or agent name", required: true, complete: "thread" },
		{ name: "turns", summary: "how many; default 1", required: false },
	],
	examples: [{ command: "weave-codex chat rollback amber 2", says: "as if the last two had not been" }],
	json: true,
	async run(context, { args: [ref = "", count] }) {
		const turns = parseWhole(count, "turns", {}) ?? 1;
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const thread_id = await resolveThread(client, ref);
		const result = await client.call("chat.rollback", { thread_id, turns });
		context.print(result, `#${result.thread.agent_name} has ${result.thread.turn_count} turns now.`);
		return 0;
	},
});
