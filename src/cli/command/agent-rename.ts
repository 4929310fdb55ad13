import { defineCommand } from "../descriptor.ts";
import { SESSION_OPTION } from "./weave-input.ts";

export const agentRenameCommand = defineCommand({
	program: "weave-codex",
	name: "agent rename",
	summary: "Rename an agent.",
	description: "Names are unique in a session, ignoring case; when one is taken, a free one is proposed.",
	arguments: [
		{ name: "agent", summary: "id or name", required: true, complete: "agent" },
		{ name: "name", summary: "the new name", required: true },
	],
	options: [SESSION_OPTION],
	examples: [{ command: "weave-codex agent rename amber tester", says: "from now on it is #tester" }],
	json: true,
	async run(context, { args: [agent = "", name = ""], options }) {
		const { agentRef, sessionParam } = await import("./weave-input.ts");
		const client = await context.connect();
		const result = await client.call("weave.agent.rename", {
			...sessionParam(options),
			agent: agentRef(agent),
			name: agentRef(name),
		});
		context.print(result, `#${result.agent.name}`);
		return 0;
	},
});
