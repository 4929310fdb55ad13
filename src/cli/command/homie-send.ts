import { defineCommand } from "../descriptor.ts";

export const homieSendCommand = defineCommand({
	program: "homie",
	name: "send",
	summary: "Type text into a terminal.",
	description:
		"Refused while another client drives the terminal. `-` reads the text from stdin. Enter is added unless --no-enter is given.",
	arguments: [
		{ name: "terminal", summary: "[MACHINE:]TERMINAL", required: true, complete: "terminal" },
		{ name: "text", summary: "what to type, or -", required: true },
	],
	options: [{ flags: "--no-enter", summary: "do not press Enter afterwards" }],
	examples: [
		{ command: "homie send local:build 'make test'", says: "type a line" },
		{ command: "homie send build - < script.sh", says: "type a file" },
	],
	async run(context, { args, options }) {
		const [{ parseTerminal }, { readStdin }] = await Promise.all([
			import("./homie-target.ts"),
			import("./read-stdin.ts"),
		]);
		const terminal = parseTerminal(args[0]);
		const text = args[1] === "-" ? (await readStdin(context)).replace(/\n$/, "") : (args[1] ?? "");
		// A terminal's Enter is CR; LF would be Ctrl+J.
		const data = text.replace(/\r?\n/g, "\r") + (options["enter"] === false ? "" : "\r");
		const client = await context.connectOrStart();
		if (data !== "") await client.call("terminal.session.input", { terminal, data });
		return 0;
	},
});
