import { defineCommand } from "../descriptor.ts";
import { textOption } from "./option-value.ts";

export const chatApproveCommand = defineCommand({
	program: "weave-codex",
	name: "chat approve",
	summary: "Approve what an agent wants to do; the id may be left out when exactly one approval waits.",
	description:
		"What is approved is printed. The answer carries the digest of what was shown, so that nothing else can be approved by it.",
	arguments: [{ name: "approval", summary: "id of the approval", required: false }],
	options: [
		{ flags: "--session", summary: "do not ask again for the same in this thread" },
		{ flags: "--confirm <word>", summary: "the word that a destructive action asks for" },
	],
	examples: [
		{ command: "weave-codex chat approve", says: "the one that waits" },
		{ command: "weave-codex chat approve --confirm delete 0193...", says: "a destructive one" },
	],
	json: true,
	async run(context, { args: [id], options }) {
		const { describeApproval, resolveApproval } = await import("./chat-input.ts");
		const client = await context.connect();
		const { approval_id, digest } = await resolveApproval(client, id);
		const confirm = textOption(options, "confirm");
		const result = await client.call("chat.approval.respond", {
			approval_id,
			digest,
			decision: options["session"] === true ? "accept_for_session" : "accept",
			...(confirm === undefined ? {} : { confirm }),
		});
		context.print(result, describeApproval(result.approval));
		return 0;
	},
});
