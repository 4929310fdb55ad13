import { defineCommand } from "../descriptor.ts";

export const sessionListCommand = defineCommand({
	program: "weave-codex",
	name: "session list",
	summary: "List weave sessions.",
	options: [{ flags: "--closed", summary: "closed ones too" }],
	examples: [
		{ command: "weave-codex session list", says: "name, state and number of agents of each" },
		{ command: "weave-codex session list --json", says: "one object with all their members" },
	],
	json: true,
	async run(context, { options }) {
		const client = await context.connect();
		const result = await client.call("weave.session.list", { closed: options["closed"] === true });
		const lines = result.sessions.map((session) => {
			const agents = session.agent_count === 1 ? "1 agent" : `${session.agent_count} agents`;
			return `${session.name.padEnd(20)} ${session.state.padEnd(9)} ${agents.padEnd(10)} ${session.session_id}`;
		});
		context.print(result, lines.join("\n"));
		return 0;
	},
});
