import { defineCommand } from "../descriptor.ts";

export const restartCommand = defineCommand({
	program: "weave-codex",
	name: "restart",
	summary: "Stop the daemon and start it again; terminals go on.",
	description: "Running turns are interrupted and can be continued. When no daemon runs, one is started.",
	options: [{ flags: "--force", summary: "kill the old daemon instead of asking it" }],
	examples: [{ command: "weave-codex restart", says: "after an update" }],
	json: true,
	async run(context, { options }) {
		const { stopDaemon } = await import("./stop.ts");
		await stopDaemon(context, { terminals: false, force: options["force"] === true });
		const { startDaemon } = await import("../start-daemon.ts");
		const { pid, listeners } = await startDaemon(context.paths, {});
		const places = listeners.map((listener) => listener.address).join(", ");
		context.print({ pid, listeners }, `weave-codex restarted (pid ${pid}), listening on ${places}`);
		return 0;
	},
});
