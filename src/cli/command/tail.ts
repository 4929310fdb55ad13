import { defineCommand } from "../descriptor.ts";
import { parseWhole } from "./option-value.ts";
import { SESSION_OPTION } from "./weave-input.ts";

export const tailCommand = defineCommand({
	program: "weave-codex",
	name: "tail",
	summary: "Follow the messages of a session, a line at each change of state.",
	description:
		"With --json each line is the message as it is then. Ends with Ctrl+C, or after --count lines.",
	options: [SESSION_OPTION, { flags: "--count <n>", summary: "end after this many lines" }],
	examples: [
		{ command: "weave-codex tail", says: "accepted, delivered, seen, answered as it happens" },
		{ command: "weave-codex tail --json --count 10", says: "ten lines for a script" },
	],
	json: true,
	async run(context, { options }) {
		const { describeMessage, resolveOpenSession } = await import("./weave-input.ts");
		const { followMessages } = await import("./message-follow.ts");
		const count = parseWhole(options["count"], "--count", {}) ?? Number.POSITIVE_INFINITY;
		const client = await context.connect();
		const { session_id, name } = await resolveOpenSession(client, options);
		context.say(`following ${name}`);
		let printed = 0;
		await followMessages({ client, sessionId: session_id, signal: context.signal }, (message, from) => {
			if (from === "first-snapshot" || printed >= count) return undefined;
			context.print(message, describeMessage(message));
			printed += 1;
			return printed >= count ? "enough" : undefined;
		});
		return 0;
	},
});
