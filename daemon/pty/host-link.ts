import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { HostTerminal } from "#client/attach/host-message.ts";
import type { Paths } from "#platform/paths.ts";
import { ensureHostSecret, startHostProcess } from "../service/terminal/host-process.ts";
import type { Logger } from "../telemetry/port.ts";
import { connectHost, type HostConnection } from "./host-connection.ts";

const HEARTBEAT_MS = 15_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;

export interface HostLinkOptions {
	paths: Paths;
	hostEntry: URL;
	env: Readonly<Record<string, string | undefined>>;
	clock: Clock;
	logger: Logger;
	onTerminal(terminal: HostTerminal): void;
	/** A connected host is gone: its terminals are lost. Not called for `close()`. */
	onLost(): void;
}

/** The daemon's one line to its pty-host: adopts a living one, starts one when needed, watches that it answers. */
export interface HostLink {
	/** Undefined when no host lives. @throws AppError HOST_UNAVAILABLE, PROTOCOL_VERSION. */
	adopt(): Promise<HostConnection | undefined>;
	/** Adopts or starts. @throws AppError HOST_UNAVAILABLE. */
	ensure(): Promise<HostConnection>;
	/** @throws AppError HOST_UNAVAILABLE when none is connected. */
	current(): HostConnection;
	/** `unresponsive` is told, never acted on: the host's programs may be fine. */
	status(): { state: "absent" | "running" | "unresponsive"; pid: number | null; version: string | null };
	close(): void;
}

export function createHostLink(options: HostLinkOptions): HostLink {
	const { paths, clock, logger } = options;
	let connection: HostConnection | undefined;
	let opening: Promise<HostConnection> | undefined;
	let unresponsive = false;
	let closing = false;
	let heartbeat: Disposable | undefined;

	async function adopt(): Promise<HostConnection | undefined> {
		if (connection) return connection;
		const found = await connectHost({
			socketPath: paths.ptySocket,
			secret: ensureHostSecret(paths),
			clock,
			onEvent: (event) => {
				if (event.event === "terminal") options.onTerminal(event.terminal);
			},
			onClose: () => {
				connection = undefined;
				heartbeat?.[Symbol.dispose]();
				if (!closing) options.onLost();
			},
		});
		if (!found) return undefined;
		connection = found;
		unresponsive = false;
		beat();
		return found;
	}
	async function start(): Promise<HostConnection> {
		const living = await adopt();
		if (living) return living;
		await startHostProcess(options);
		const started = await adopt();
		if (!started) throw new AppError("HOST_UNAVAILABLE", "The pty-host ended right after its start.");
		logger.info("pty-host started", { pid: started.pid });
		return started;
	}
	function beat(): void {
		heartbeat = clock.after(HEARTBEAT_MS, () => {
			const asked = connection;
			if (!asked) return;
			asked
				.request("ping", {}, HEARTBEAT_TIMEOUT_MS)
				.then(
					() => {
						if (unresponsive) logger.info("pty-host answers again", { pid: asked.pid });
						unresponsive = false;
					},
					() => {
						if (connection === asked && !unresponsive)
							logger.warn("pty-host does not answer", { pid: asked.pid });
						unresponsive = true;
					},
				)
				.finally(() => {
					if (connection === asked) beat();
				});
		});
	}
	return {
		adopt,
		async ensure() {
			if (connection) return connection;
			// Starts asked for at once share one host.
			opening ??= start().finally(() => {
				opening = undefined;
			});
			return await opening;
		},
		current() {
			if (!connection) throw new AppError("HOST_UNAVAILABLE");
			return connection;
		},
		status() {
			if (!connection) return { state: "absent", pid: null, version: null };
			return {
				state: unresponsive ? "unresponsive" : "running",
				pid: connection.pid,
				version: connection.version,
			};
		},
		close() {
			closing = true;
			heartbeat?.[Symbol.dispose]();
			connection?.close();
		},
	};
}
