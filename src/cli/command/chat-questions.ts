import { defineCommand } from "../descriptor.ts";

export const chatQuestionsCommand = defineCommand({
	program: "weave-codex",
	name: "chat questions",
	summary: "List what agents and servers ask and wait for, first asked first.",
	arguments: [
		{
			name: "thread",
			summary: "only those of this thread (id or agent name)",
			required: false,
			complete: "thread",
		},
	],
	examples: [{ command: "weave-codex chat questions", says: "what waits for you" }],
	json: true,
	async run(context, { args: [ref] }) {
		const { resolveThread } = await import("./chat-input.ts");
		const { describeQuestion } = await import("./chat-question.ts");
		const client = await context.connect();
		const thread = ref === undefined ? {} : { thread_id: await resolveThread(client, ref) };
		const result = await client.call("chat.question.list", thread);
		const lines = result.questions.map(describeQuestion).join("\n");
		context.print(result, lines === "" ? "Nothing waits." : lines);
		return 0;
	},
});
