import type { Terminal } from "#protocol/record.ts";
import { defineCommand } from "../descriptor.ts";

function line(terminal: Terminal): string {
	const state =
		terminal.status === "exited"
			? `exited ${terminal.signal === null ? terminal.exit_code : `signal ${terminal.signal}`}`
			: terminal.status;
	const who = terminal.driver ? `driven by ${terminal.driver.device}` : "";
	return (
		`local:${terminal.name}`.padEnd(26) +
		[state.padEnd(10), `${terminal.cols}x${terminal.rows}`.padEnd(9), terminal.argv.join(" "), who]
			.join(" ")
			.trimEnd()
	);
}

export const homieLsCommand = defineCommand({
	program: "homie",
	name: "ls",
	summary: "List terminals.",
	arguments: [
		{ name: "machine", summary: "local, or this machine's name", required: false, complete: "machine" },
	],
	options: [{ flags: "-a, --all", summary: "the ended ones too" }],
	examples: [
		{ command: "homie ls", says: "what runs here" },
		{ command: "homie ls local --all --json", says: "all of them, as one object" },
	],
	json: true,
	async run(context, { args, options }) {
		const { parseTarget } = await import("./homie-target.ts");
		parseTarget(args[0]);
		const client = await context.connectOrStart();
		const result = await client.call("terminal.session.list", { all: options["all"] === true });
		const lines = result.terminals.map(line);
		context.print(result, lines.length === 0 ? "No terminals. Start one with: homie new" : lines.join("\n"));
		return 0;
	},
});
