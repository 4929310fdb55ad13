import { defineCommand } from "../descriptor.ts";

export const homiePreviewCommand = defineCommand({
	program: "homie",
	name: "preview",
	summary: "Print a terminal's screen without attaching.",
	arguments: [{ name: "terminal", summary: "[MACHINE:]TERMINAL", required: true, complete: "terminal" }],
	examples: [
		{ command: "homie preview local:build", says: "the screen as plain text" },
		{ command: "homie preview build --json", says: "with size, cursor and driver" },
	],
	json: true,
	async run(context, { args }) {
		const { parseTerminal } = await import("./homie-target.ts");
		const client = await context.connectOrStart();
		const result = await client.call("terminal.session.preview", { terminal: parseTerminal(args[0]) });
		context.print(result, result.lines.join("\n").trimEnd());
		return 0;
	},
});
