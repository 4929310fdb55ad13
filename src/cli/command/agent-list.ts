import { defineCommand } from "../descriptor.ts";
import { SESSION_OPTION } from "./weave-input.ts";

export const agentListCommand = defineCommand({
	program: "weave-codex",
	name: "agent list",
	summary: "List the agents of a session with what they do.",
	options: [SESSION_OPTION],
	examples: [
		{ command: "weave-codex agent list", says: "name, kind, status and waiting mail of each" },
		{ command: "weave-codex agent list --session release --json", says: "one object with all their members" },
	],
	json: true,
	async run(context, { options }) {
		const { sessionParam } = await import("./weave-input.ts");
		const client = await context.connect();
		const result = await client.call("weave.agent.list", sessionParam(options));
		const lines = result.agents.map((agent) => {
			const status = agent.connected ? agent.status : "offline";
			const mail = agent.mailbox_length === 0 ? "" : `${agent.mailbox_length} waiting`;
			return `#${agent.name.padEnd(20)} ${agent.kind.padEnd(9)} ${status.padEnd(9)} ${mail.padEnd(12)} ${agent.agent_id}`;
		});
		context.print(result, lines.length === 0 ? "No agents." : lines.join("\n"));
		return 0;
	},
});
