import { defineCommand } from "../descriptor.ts";

export const homieMachinesCommand = defineCommand({
	program: "homie",
	name: "machines",
	summary: "List the machines whose terminals can be reached.",
	examples: [
		{ command: "homie machines", says: "name, state and number of terminals" },
		{ command: "homie machines --json", says: "the same as one object" },
	],
	json: true,
	async run(context) {
		const { hostname } = await import("node:os");
		const client = await context.connectOrStart();
		const { machine_id, version } = await client.call("daemon.status", {});
		const { terminals } = await client.call("terminal.session.list", {});
		const machine = {
			name: "local",
			hostname: hostname(),
			machine_id,
			state: "online",
			version,
			terminals: terminals.length,
		};
		context.print(
			{ machines: [machine] },
			`local  ${machine.hostname}  online  ${terminals.length} terminal${terminals.length === 1 ? "" : "s"}`,
		);
		return 0;
	},
});
