import { defineCommand } from "../descriptor.ts";
import { SESSION_OPTION } from "./weave-input.ts";

export const sendCommand = defineCommand({
	program: "weave-codex",
	name: "send",
	summary: "Send a message to an agent.",
	description:
		"Prints the message's id and state: accepted means that it is stored and survives a crash. With --wait the answer goes to stdout; the exit code is 1 when the message failed.",
	arguments: [
		{
			name: "text",
			summary: '"#agent text"; `-` after the agent reads the text from stdin',
			required: true,
			variadic: true,
		},
	],
	options: [
		SESSION_OPTION,
		{ flags: "--from <agent>", summary: "send as this agent of the session, who then gets the reply" },
		{ flags: "--wait", summary: "wait for the answer and print it" },
	],
	examples: [
		{ command: 'weave-codex send "#tester run the tests"', says: "prints the message's id" },
		{ command: 'weave-codex send --wait "#tester run the tests and report"', says: "prints the report" },
		{ command: "weave-codex send --wait '#reviewer' - < change.diff", says: "the text from stdin" },
	],
	json: true,
	async run(context, { args, options }) {
		const { agentRef, parseMention, sessionParam } = await import("./weave-input.ts");
		const { readPrompt } = await import("./chat-input.ts");
		const words =
			args.length === 2 && args[1] === "-" ? [args[0] ?? "", await readPrompt(context, ["-"])] : args;
		const from = options["from"];
		const client = await context.connect();
		const { message } = await client.call("weave.message.send", {
			...sessionParam(options),
			...parseMention(words.join(" ")),
			...(typeof from === "string" ? { from: agentRef(from) } : {}),
		});
		if (options["wait"] !== true) {
			context.print({ message }, `${message.message_id}  ${message.state}`);
			return 0;
		}
		const { waitForAnswer } = await import("./message-follow.ts");
		const ended = await waitForAnswer(client, message, context.signal);
		context.print({ message: ended }, ended.answer ?? undefined);
		if (ended.state === "answered" || ended.state === "done") return 0;
		context.say(
			`#${ended.to_name} did not answer: ${ended.state}${ended.reason === null ? "" : ` (${ended.reason})`}`,
		);
		return 1;
	},
});
