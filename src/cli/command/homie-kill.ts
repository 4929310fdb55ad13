import { defineCommand } from "../descriptor.ts";

export const homieKillCommand = defineCommand({
	program: "homie",
	name: "kill",
	summary: "End a terminal's program.",
	arguments: [{ name: "terminal", summary: "[MACHINE:]TERMINAL", required: true, complete: "terminal" }],
	examples: [{ command: "homie kill local:build", says: "hang up; after three seconds by force" }],
	async run(context, { args }) {
		const { parseTerminal } = await import("./homie-target.ts");
		const client = await context.connectOrStart();
		const { terminal } = await client.call("terminal.session.kill", { terminal: parseTerminal(args[0]) });
		context.say(`hung up local:${terminal.name}`);
		return 0;
	},
});
