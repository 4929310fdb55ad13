import { defineCommand } from "../descriptor.ts";

export const homieRenameCommand = defineCommand({
	program: "homie",
	name: "rename",
	summary: "Rename a terminal.",
	arguments: [
		{ name: "terminal", summary: "[MACHINE:]TERMINAL", required: true, complete: "terminal" },
		{ name: "name", summary: "letters, digits, dot, dash, underscore", required: true },
	],
	examples: [{ command: "homie rename local:bash build", says: "from now on local:build" }],
	async run(context, { args }) {
		const { parseTerminal, parseTerminalName } = await import("./homie-target.ts");
		const [ref] = args;
		const name = parseTerminalName(args[1] ?? "");
		const client = await context.connectOrStart();
		const { terminal } = await client.call("terminal.session.rename", { terminal: parseTerminal(ref), name });
		context.say(`renamed to local:${terminal.name}`);
		return 0;
	},
});
