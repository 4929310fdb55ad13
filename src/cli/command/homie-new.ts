import { defineCommand } from "../descriptor.ts";

export const homieNewCommand = defineCommand({
	program: "homie",
	name: "new",
	summary: "Start a terminal and attach to it.",
	description:
		"Without a command the login shell is started. With a pipe instead of a terminal the program's whole output is written to stdout and its exit code becomes ours; the end of stdin is passed on as Ctrl+D.",
	arguments: [
		{ name: "machine", summary: "local, or this machine's name", required: false, complete: "machine" },
		{ name: "command", summary: "program and arguments, after --", required: false, variadic: true },
	],
	options: [
		{ flags: "--name <name>", summary: "short name for homie attach local:NAME" },
		{ flags: "-C, --cd <dir>", summary: "folder to start in", complete: "directory" },
		{ flags: "-d, --detach", summary: "do not attach" },
	],
	examples: [
		{ command: "homie new", says: "a shell" },
		{ command: "homie new local --name build -C ~/src -- make -j4", says: "a program, under a name" },
	],
	json: true,
	async run(context, { args, options }) {
		const [{ isMachine, parseTerminalName }, { attachAndReport, startTerminal }, { resolve }] =
			await Promise.all([import("./homie-target.ts"), import("./homie-session.ts"), import("node:path")]);
		const [first, ...rest] = args;
		const argv = first === undefined || isMachine(first) ? rest : args;
		const folder = options["cd"];
		const name = typeof options["name"] === "string" ? parseTerminalName(options["name"]) : undefined;
		const client = await context.connectOrStart();
		const terminal = await startTerminal(context, client, {
			argv,
			cwd: typeof folder === "string" ? resolve(context.cwd, folder) : undefined,
			name,
		});
		if (options["detach"] === true) {
			context.print({ terminal }, `local:${terminal.name}`);
			return 0;
		}
		return await attachAndReport(context, client, {
			terminal,
			mode: "drive",
			takeover: false,
			fromStart: true,
		});
	},
});
