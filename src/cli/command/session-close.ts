import { defineCommand } from "../descriptor.ts";

export const sessionCloseCommand = defineCommand({
	program: "weave-codex",
	name: "session close",
	summary: "Close a weave session: its agents leave and waiting mail fails.",
	arguments: [{ name: "session", summary: "id or name", required: true }],
	examples: [{ command: "weave-codex session close release", says: "the default session cannot be closed" }],
	json: true,
	async run(context, { args: [session = ""] }) {
		const client = await context.connect();
		const result = await client.call("weave.session.close", { session });
		context.print(result, `${result.session.name} is closed.`);
		return 0;
	},
});
