import { defineCommand } from "../descriptor.ts";

export const chatDeclineCommand = defineCommand({
	program: "weave-codex",
	name: "chat decline",
	summary: "Decline what an agent wants to do; the id may be left out when exactly one approval waits.",
	arguments: [{ name: "approval", summary: "id of the approval", required: false }],
	options: [{ flags: "--cancel", summary: "interrupt the turn as well" }],
	examples: [
		{ command: "weave-codex chat decline", says: "no; the agent goes on without it" },
		{ command: "weave-codex chat decline --cancel", says: "no, and stop" },
	],
	json: true,
	async run(context, { args: [id], options }) {
		const { describeApproval, resolveApproval } = await import("./chat-input.ts");
		const client = await context.connect();
		const { approval_id, digest } = await resolveApproval(client, id);
		const decision = options["cancel"] === true ? "cancel" : "decline";
		const result = await client.call("chat.approval.respond", { approval_id, digest, decision });
		context.print(result, describeApproval(result.approval));
		return 0;
	},
});
