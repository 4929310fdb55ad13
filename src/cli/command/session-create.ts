import { defineCommand } from "../descriptor.ts";

export const sessionCreateCommand = defineCommand({
	program: "weave-codex",
	name: "session create",
	summary: "Create a weave session: a room for agents.",
	arguments: [{ name: "name", summary: "unique among the open sessions", required: true }],
	examples: [{ command: "weave-codex session create release", says: "prints the new session's id" }],
	json: true,
	async run(context, { args: [name = ""] }) {
		const client = await context.connect();
		const result = await client.call("weave.session.create", { name });
		context.print(result, result.session.session_id);
		return 0;
	},
});
