import { AppError } from "#base/app-error.ts";
import { defineCommand } from "../descriptor.ts";

export const chatShellCommand = defineCommand({
	program: "weave-codex",
	name: "chat shell",
	summary: "Run a command of your own in a thread's folder; its model reads what the command said.",
	description:
		"Runs as you, outside the agent's sandbox, and asks nobody. Returns once it has started; `chat read` shows the output.",
	arguments: [
		{ name: "thread", summary: "id or agent name", required: true, complete: "thread" },
		{
			name: "command",
			summary: "for the shell; quote what your own shell must not see",
			required: true,
			variadic: true,
		},
	],
	examples: [
		{ command: "weave-codex chat shell amber 'git status -sb'", says: "so that the agent knows it too" },
	],
	json: true,
	async run(context, { args: [ref = "", ...words] }) {
		const command = words.join(" ");
		if (command.trim() === "") throw new AppError("USAGE", "There is no command to run.");
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const result = await client.call("chat.shell", { thread_id: await resolveThread(client, ref), command });
		context.print(result, `Running in turn ${result.turn_id}.`);
		return 0;
	},
});
