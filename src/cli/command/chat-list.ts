import { defineCommand } from "../descriptor.ts";
import { parseWhole } from "./option-value.ts";

export const chatListCommand = defineCommand({
	program: "weave-codex",
	name: "chat list",
	summary: "List threads, newest activity first.",
	options: [
		{ flags: "--archived", summary: "those put away" },
		{ flags: "--limit <n>", summary: "at most this many", default: "100" },
	],
	examples: [
		{ command: "weave-codex chat list", says: "threads in use" },
		{ command: "weave-codex chat list --json", says: "one object with all their members" },
	],
	json: true,
	async run(context, { options }) {
		const limit = parseWhole(options["limit"], "--limit", { max: 1000 });
		const client = await context.connect();
		const result = await client.call("chat.list", { archived: options["archived"] === true, limit });
		const lines = result.threads.map((thread) => {
			const head = `${thread.thread_id}  #${thread.agent_name}`.padEnd(56);
			return `${head} ${thread.status.padEnd(9)} ${String(thread.turn_count).padStart(4)}  ${thread.title ?? ""}`;
		});
		context.print(result, lines.length === 0 ? "No threads." : lines.join("\n"));
		return 0;
	},
});
