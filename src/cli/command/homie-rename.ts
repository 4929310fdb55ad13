import { defineCommand } from "../descriptor.ts";

export const homieRenameCommand = defineCommand({
	program: "homie",
	name: "rename",
	summary: "Renames a terminal.",
	arguments: [
		{ name: "terminal", summary: "[MACHINE:]TERMINAL", required: true, complete: "terminal" },
		{ name: "name", summary: "letters, digits, dot, dash, underscore", required: true },
	],
	examples: [{ command: "homie rename local:bash build", says: "from now on local:build" }],
	async run(context, { args }) {
		const [{ parseTerminal }, { AppError }] = await Promise.all([import("./homie-target.ts"), import("#base/app-error.ts")]);
		const [ref, name = ""] = args;
		if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw new AppError("USAGE", `${name} is no name for a terminal.`);
		const client = await context.connectOrStart();
		const { terminal } = await client.call("terminal.session.rename", { terminal: parseTerminal(ref), name });
		context.say(`renamed to local:${terminal.name}`);
		return 0;
	},
});
