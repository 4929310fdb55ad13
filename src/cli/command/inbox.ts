import { defineCommand } from "../descriptor.ts";
import { parseWhole } from "./option-value.ts";
import { SESSION_OPTION } from "./weave-input.ts";

export const inboxCommand = defineCommand({
	program: "weave-codex",
	name: "inbox",
	summary: "Print mail: an agent's mailbox, or without one what you sent and got.",
	description: "Oldest first. Mail to you counts as seen once it was printed here.",
	arguments: [{ name: "agent", summary: "id or name", required: false, complete: "agent" }],
	options: [
		SESSION_OPTION,
		{ flags: "--limit <n>", summary: "at most this many, the newest", default: "50" },
	],
	examples: [
		{ command: "weave-codex inbox", says: "what you asked, and the answers" },
		{ command: "weave-codex inbox tester --json", says: "what #tester was sent" },
	],
	json: true,
	async run(context, { args: [ref], options }) {
		const { agentRef, describeMessage, sessionParam } = await import("./weave-input.ts");
		const limit = parseWhole(options["limit"], "--limit", { max: 1000 }) ?? 50;
		const session = sessionParam(options);
		const client = await context.connect();
		async function ownMail() {
			const { agents } = await client.call("weave.agent.list", session);
			const me = agents.find((agent) => agent.kind === "person");
			if (me === undefined) return [];
			const received = await client.call("weave.message.list", { ...session, agent: me.agent_id, limit });
			const all = await client.call("weave.message.list", { ...session, limit: 1000 });
			const sent = all.messages.filter((message) => message.from_agent_id === me.agent_id);
			return [...received.messages, ...sent]
				.sort((a, b) => b.created_at_ms - a.created_at_ms)
				.slice(0, limit);
		}
		const newestFirst =
			ref === undefined
				? await ownMail()
				: (await client.call("weave.message.list", { ...session, agent: agentRef(ref), limit })).messages;
		const messages = newestFirst.reverse();
		context.print(
			{ messages },
			messages.length === 0 ? "No mail." : messages.map(describeMessage).join("\n"),
		);
		return 0;
	},
});
