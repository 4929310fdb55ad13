import { defineCommand } from "../descriptor.ts";
import { SESSION_OPTION } from "./weave-input.ts";

export const agentRemoveCommand = defineCommand({
	program: "weave-codex",
	name: "agent remove",
	summary: "Take an agent out of a session; its waiting mail fails.",
	description:
		"A thread lives on without its place in the session; a program outside the daemon loses its connection.",
	arguments: [{ name: "agent", summary: "id or name", required: true, complete: "agent" }],
	options: [SESSION_OPTION],
	examples: [{ command: "weave-codex agent remove tester", says: "its name is free again" }],
	json: true,
	async run(context, { args: [agent = ""], options }) {
		const { agentRef, sessionParam } = await import("./weave-input.ts");
		const client = await context.connect();
		const result = await client.call("weave.agent.remove", {
			...sessionParam(options),
			agent: agentRef(agent),
		});
		context.print(result, `#${result.agent.name} has left.`);
		return 0;
	},
});
