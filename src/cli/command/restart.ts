import { type CliContext, defineCommand } from "../descriptor.ts";
import { LISTEN_OPTIONS, type ListenFlags, parseListenFlags } from "../listen-flags.ts";

/** A daemon that was started without TCP does not open a port behind its owner's back, unless the settings say so. */
async function withPresent(context: CliContext, asked: ListenFlags): Promise<ListenFlags> {
	if (asked.port !== undefined || asked.web !== undefined) return asked;
	const { readDiscovery } = await import("#platform/discovery.ts");
	const { readConfig } = await import("#config/read.ts");
	const record = readDiscovery(context.paths);
	if (!record || record.listeners.some((listener) => listener.kind === "http")) return asked;
	return readConfig(context.paths.config, context.env).source("gateway.web") === "default"
		? { web: false }
		: asked;
}

export const restartCommand = defineCommand({
	program: "weave-codex",
	name: "restart",
	summary: "Stop the daemon and start it again; terminals go on.",
	description:
		"Running turns are interrupted and can be continued. When no daemon runs, one is started. It listens as the settings say; one that was started with --no-web stays without TCP unless --port is given.",
	options: [{ flags: "--force", summary: "kill the old daemon instead of asking it" }, ...LISTEN_OPTIONS],
	examples: [
		{ command: "weave-codex restart", says: "after an update" },
		{ command: "weave-codex restart --port 9810", says: "and listen there" },
	],
	json: true,
	async run(context, { options }) {
		const flags = await withPresent(context, parseListenFlags({ options }));
		const { stopDaemon } = await import("./stop.ts");
		await stopDaemon(context, { terminals: false, force: options["force"] === true });
		const { startDaemon } = await import("../start-daemon.ts");
		const { pid, listeners } = await startDaemon(context.paths, flags);
		const places = listeners.map((listener) => listener.address).join(", ");
		context.print({ pid, listeners }, `weave-codex restarted (pid ${pid}), listening on ${places}`);
		return 0;
	},
});
