import { defineCommand } from "../descriptor.ts";

export const chatApprovalsCommand = defineCommand({
	program: "weave-codex",
	name: "chat approvals",
	summary: "List approvals that wait, first asked first.",
	arguments: [
		{
			name: "thread",
			summary: "only those of this thread (id or agent name)",
			required: false,
			complete: "thread",
		},
	],
	options: [{ flags: "--all", summary: "also answered and expired ones" }],
	examples: [
		{ command: "weave-codex chat approvals", says: "what waits for you" },
		{ command: "weave-codex chat approvals --all --json", says: "with who answered" },
	],
	json: true,
	async run(context, { args: [ref], options }) {
		const { describeApproval, resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const thread = ref === undefined ? {} : { thread_id: await resolveThread(client, ref) };
		const result = await client.call("chat.approval.list", { all: options["all"] === true, ...thread });
		context.print(
			result,
			result.approvals.length === 0 ? "Nothing waits." : result.approvals.map(describeApproval).join("\n"),
		);
		return 0;
	},
});
