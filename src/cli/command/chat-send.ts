import { defineCommand } from "../descriptor.ts";
import { parseSeconds } from "./option-value.ts";

export const chatSendCommand = defineCommand({
	program: "weave-codex",
	name: "chat send",
	summary: "Send a message to a thread and print the answer.",
	description:
		"While a turn runs the message steers it; with --queue it waits for the next. Exit codes are those of exec.",
	arguments: [
		{ name: "thread", summary: "id or agent name", required: true, complete: "thread" },
		{
			name: "text",
			summary: "the message; `-`, or nothing in a pipe, reads it from stdin",
			required: false,
			variadic: true,
		},
	],
	options: [
		{ flags: "--no-wait", summary: "return once it is stored" },
		{ flags: "--queue", summary: "do not steer the running turn" },
		{
			flags: "--approval-timeout <seconds>",
			summary: "give up when an approval takes longer; 0: do not wait",
		},
	],
	examples: [
		{ command: 'weave-codex chat send amber "now the tests"', says: "wait for the answer" },
		{ command: "weave-codex chat send amber --no-wait - < notes.md", says: "only store it" },
	],
	json: true,
	async run(context, { args: [ref = "", ...words], options }) {
		const { readPrompt, resolveThread } = await import("./chat-input.ts");
		const { runChatTurn, sendOnly } = await import("./chat-turn.ts");
		const approvalTimeoutS = parseSeconds(options["approvalTimeout"], "--approval-timeout");
		const text = await readPrompt(context, words);
		const client = await context.connect();
		const threadId = await resolveThread(client, ref);
		const request = {
			threadId,
			text,
			whenBusy: options["queue"] === true ? ("queue" as const) : ("steer" as const),
			approvalTimeoutS,
		};
		return options["wait"] === false
			? sendOnly(context, client, request)
			: runChatTurn(context, client, request);
	},
});
