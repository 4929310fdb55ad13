import { AppError } from "#base/app-error.ts";
import type { DaemonStatus } from "#protocol/record.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";

const UNITS = ["B", "KiB", "MiB", "GiB"] as const;

function formatBytes(sizeBytes: number): string {
	const step = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, sizeBytes)) / 10));
	const value = sizeBytes / 1024 ** step;
	return `${step === 0 ? value : value.toFixed(1)} ${UNITS[step]}`;
}

function formatDuration(durationMs: number): string {
	const seconds = Math.floor(durationMs / 1000);
	const parts = [
		[Math.floor(seconds / 86_400), "d"],
		[Math.floor(seconds / 3600) % 24, "h"],
		[Math.floor(seconds / 60) % 60, "m"],
		[seconds % 60, "s"],
	] as const;
	const first = parts.findIndex(([count]) => count > 0);
	if (first < 0) return "0s";
	return parts
		.slice(first, first + 2)
		.map(([count, unit]) => `${count}${unit}`)
		.join(" ");
}

function withDetail(text: string, detail: string | null | undefined): string {
	return detail ? `${text} (${detail})` : text;
}

/** One `key  value` line each, values aligned. */
function describe(status: DaemonStatus): string {
	const { store, sandbox, provider, pty_host: host } = status;
	const counts = Object.entries(status.counts).map(
		([name, count]) => `${count} ${(count === 1 ? name.replace(/s$/, "") : name).replaceAll("_", " ")}`,
	);
	const rows: [string, string][] = [
		["state", "running"],
		["pid", String(status.pid)],
		["version", status.version],
		["uptime", formatDuration(status.uptime_ms)],
		...status.listeners.map((one): [string, string] => ["listener", `${one.address} (${one.kind})`]),
		["home", status.home],
		["weave home", status.weave_home],
		["codex home", status.codex_home],
		["machine", status.machine_id],
		["counts", counts.join(", ")],
		["pty-host", host.pid === null ? host.state : `${host.state} (pid ${host.pid})`],
		["sandbox", withDetail(sandbox.available ? sandbox.kind : "none", sandbox.detail)],
		["agent loop", status.agent_backend === "cli" ? "the codex program" : "weave-codex"],
		["provider", withDetail([provider.name, provider.model].filter(Boolean).join(" "), provider.detail)],
		[
			"store",
			withDetail(
				`${store.state}, ${formatBytes(store.size_bytes)}, schema ${store.schema_version}`,
				store.detail,
			),
		],
		["memory", formatBytes(status.rss_bytes)],
	];
	const width = Math.max(...rows.map(([key]) => key.length));
	return rows.map(([key, value]) => `${key.padEnd(width)}  ${value}`).join("\n");
}

async function run(context: CliContext): Promise<number> {
	const { rpcOnce } = await import("#client/node/rpc-once.ts");
	let status: DaemonStatus;
	try {
		status = (await rpcOnce(
			context.paths,
			"daemon.status",
			{},
			{ timeoutMs: 5_000, signal: context.signal },
		)) as DaemonStatus;
	} catch (error) {
		if (!(error instanceof AppError) || error.code !== "DAEMON_UNAVAILABLE") throw error;
		context.print({ running: false }, "state  not running");
		context.say("Start it with `weave-codex start`.");
		return error.exitCode;
	}
	context.print({ running: true, ...status }, describe(status));
	return 0;
}

export const statusCommand = defineCommand({
	program: "weave-codex",
	name: "status",
	summary: "Show whether the daemon runs, where it listens and what it holds.",
	description: "Exits 0 when the daemon answers and 69 when none runs.",
	examples: [
		{ command: "weave-codex status", says: "for people" },
		{ command: "weave-codex status --json", says: "for scripts: one JSON object with `running`" },
	],
	json: true,
	run,
});
