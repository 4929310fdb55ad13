import { defineCommand } from "../descriptor.ts";

export const homieAttachCommand = defineCommand({
	program: "homie",
	name: "attach",
	summary: "Attach this terminal to one of a machine.",
	description:
		"Without a terminal's name the newest one is taken, or a shell started. Ctrl+] d detaches (HOMIE_PREFIX sets another key), Ctrl+] ? shows the keys. Ctrl+C goes to the program; its exit code becomes ours.",
	arguments: [
		{
			name: "target",
			summary: "[MACHINE][:TERMINAL], as in local:build",
			required: false,
			complete: "terminal",
		},
	],
	options: [
		{ flags: "--takeover", summary: "drive, even while another client does" },
		{ flags: "--read-only", summary: "watch: neither type nor size" },
	],
	examples: [
		{ command: "homie attach local", says: "the newest terminal here, or a new shell" },
		{ command: "homie attach local:build --read-only", says: "watch one by name" },
	],
	async run(context, { args, options }) {
		const [{ parseTarget }, { attachAndReport, startTerminal }] = await Promise.all([
			import("./homie-target.ts"),
			import("./homie-session.ts"),
		]);
		const target = parseTarget(args[0]);
		const client = await context.connectOrStart();
		const { terminals } = await client.call("terminal.session.list", { all: target.terminal !== undefined });
		const named =
			terminals.find(({ terminal_id }) => terminal_id === target.terminal) ??
			terminals.findLast(({ name }) => name === target.terminal);
		if (target.terminal !== undefined && !named) {
			const { AppError } = await import("#base/app-error.ts");
			throw new AppError("TERMINAL_NOT_FOUND", `There is no terminal ${target.terminal} on local.`);
		}
		const present = named ?? terminals.at(-1);
		const terminal = present ?? (await startTerminal(context, client, {}));
		return await attachAndReport(context, client, {
			terminal,
			mode: options["readOnly"] === true ? "watch" : "drive",
			takeover: options["takeover"] === true,
			fromStart: present === undefined,
		});
	},
});
