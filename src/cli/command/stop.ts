import { AppError } from "#base/app-error.ts";
import type { ProcessIdentity } from "#platform/identity.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";

/** The daemon's own deadline is 10 s; a little more, and it hangs. */
const STOP_TIMEOUT_MS = 15_000;
/** After SIGKILL only the kernel has work to do. */
const KILL_TIMEOUT_MS = 5_000;

interface StopOptions {
	/** Ends the pty-host and its terminals too. */
	terminals: boolean;
	/** SIGKILL instead of asking. */
	force: boolean;
}

interface StopResult {
	stopped: boolean;
	pid: number | null;
	terminals_ended: boolean;
}

/** Exports of dist/doctor.js; the command line knows the daemon's parts by their bundles only. */
interface CareModule {
	sweepDeadDaemon(paths: CliContext["paths"]): Promise<void>;
	sweepDeadHost(paths: CliContext["paths"]): Promise<void>;
}

async function loadCare(): Promise<CareModule> {
	const { distEntry } = await import("#platform/package-root.ts");
	return (await import(distEntry("doctor").href)) as CareModule;
}

function trySignal(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
	}
}

/** Signals that very process, never another one with its number, and waits until it is gone. */
async function end(identity: ProcessIdentity, what: string, { force }: { force: boolean }): Promise<void> {
	const { isSameProcess, waitUntilGone } = await import("#platform/identity.ts");
	if (isSameProcess(identity)) trySignal(identity.pid, force ? "SIGKILL" : "SIGTERM");
	if (await waitUntilGone(identity, force ? KILL_TIMEOUT_MS : STOP_TIMEOUT_MS)) return;
	throw new AppError(
		"TIMEOUT",
		`The ${what} (pid ${identity.pid}) has not ended; \`weave-codex stop --force\` kills it.`,
	);
}

/** Asks by the socket; resolves with the pty-host's pid as the daemon knows it, undefined when no daemon answers. */
async function ask(context: CliContext, terminals: boolean): Promise<{ hostPid: number | null } | undefined> {
	const { rpcOnce } = await import("#client/node/rpc-once.ts");
	try {
		const answer = await rpcOnce(context.paths, "daemon.stop", { terminals }, { timeoutMs: 10_000 });
		return { hostPid: (answer as { pty_host_pid: number | null }).pty_host_pid };
	} catch (error) {
		if (
			error instanceof AppError &&
			(error.code === "DAEMON_UNAVAILABLE" || error.code === "DAEMON_STOPPING")
		)
			return undefined;
		throw error;
	}
}

async function readHostIdentity(context: CliContext): Promise<ProcessIdentity | undefined> {
	const { readFile } = await import("node:fs/promises");
	const { join } = await import("node:path");
	const { parseProcessIdentity } = await import("#platform/identity.ts");
	try {
		return parseProcessIdentity(
			JSON.parse(await readFile(join(context.paths.home, "pty-host.json"), "utf8")),
		);
	} catch {
		return undefined;
	}
}

/** A pty-host that was told to end does so by itself in this time; one without a daemon is told by signal. */
const HOST_GRACE_MS = 2_000;

async function endHost(
	context: CliContext,
	host: ProcessIdentity,
	options: { force: boolean; told: boolean },
): Promise<void> {
	const { waitUntilGone } = await import("#platform/identity.ts");
	if (!(options.told && (await waitUntilGone(host, HOST_GRACE_MS)))) await end(host, "pty-host", options);
	await (await loadCare()).sweepDeadHost(context.paths);
}

/**
 * Stops the daemon and waits until its process is gone; nothing running is fine.
 * @throws AppError TIMEOUT when it does not end.
 */
export async function stopDaemon(
	context: CliContext,
	{ terminals, force }: StopOptions,
): Promise<StopResult> {
	const { readDiscovery } = await import("#platform/discovery.ts");
	const { isSameProcess, readProcessIdentity, waitUntilGone } = await import("#platform/identity.ts");
	const record = readDiscovery(context.paths);
	const daemon = record && isSameProcess(record) ? record : undefined;
	let host = terminals ? await readHostIdentity(context) : undefined;
	const answer = force ? undefined : await ask(context, terminals);
	if (terminals && answer?.hostPid) host ??= readProcessIdentity(answer.hostPid);
	const left = answer !== undefined && daemon !== undefined && (await waitUntilGone(daemon, STOP_TIMEOUT_MS));
	// One that hangs, or does not answer yet, is told by signal.
	if (daemon && !left) await end(daemon, "daemon", { force });
	if (force) await (await loadCare()).sweepDeadDaemon(context.paths);
	const hostLived = host !== undefined && (answer?.hostPid != null || isSameProcess(host));
	if (host && hostLived) await endHost(context, host, { force, told: answer !== undefined });
	return { stopped: daemon !== undefined, pid: daemon?.pid ?? null, terminals_ended: hostLived };
}

function describe({ stopped, pid, terminals_ended: ended }: StopResult): string {
	const daemon = stopped ? `The daemon (pid ${pid}) has stopped.` : "No daemon was running.";
	return ended ? `${daemon} Its terminals have ended.` : daemon;
}

export const stopCommand = defineCommand({
	program: "weave-codex",
	name: "stop",
	summary: "Stop the daemon; terminals live on in the pty-host unless --terminals is given.",
	description:
		"Waits until the daemon's process is gone. When none runs it says so and exits 0. A daemon that hangs is killed with --force: what it acknowledged is safe on disk.",
	options: [
		{ flags: "--terminals", summary: "end the terminals and the pty-host too" },
		{ flags: "--force", summary: "kill the daemon instead of asking it" },
	],
	examples: [
		{ command: "weave-codex stop", says: "shells go on; the next daemon finds them" },
		{ command: "weave-codex stop --terminals", says: "leave nothing running" },
	],
	json: true,
	async run(context, { options }) {
		const result = await stopDaemon(context, {
			terminals: options["terminals"] === true,
			force: options["force"] === true,
		});
		context.print(result, describe(result));
		return 0;
	},
});
