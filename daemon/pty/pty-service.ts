import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { HostTerminal } from "#client/attach/host-message.ts";
import { parseHostTerminal } from "#client/attach/host-message.ts";
import type { Paths } from "#platform/paths.ts";
import type { DaemonStatus } from "#protocol/record.ts";
import type { TopicSnapshot } from "#protocol/topic/index.ts";
import type { Publish } from "../gateway/hub.ts";
import { createTerminalHandlers, type TerminalHandlers } from "../service/terminal/handlers.ts";
import { takeEndedTerminals } from "../service/terminal/host-process.ts";
import { listTerminals, terminalRunning } from "../storage/repository/terminal.ts";
import type { Store } from "../storage/store.ts";
import type { FaultPoint, Logger, Telemetry } from "../telemetry/port.ts";
import type { HostConnection } from "./host-connection.ts";
import { createHostLink, type HostLink } from "./host-link.ts";
import { createTerminalTable, type TerminalTable } from "./terminal-table.ts";

export interface PtyServiceOptions {
	paths: Paths;
	store: Store;
	publish: Publish;
	telemetry: Telemetry;
	logger: Logger;
	clock: Clock;
	newId: NewId;
	/** host-entry.ts, or its bundle. */
	hostEntry: URL;
	/** The daemon's own environment; terminals get an allow-listed part. */
	env: Readonly<Record<string, string | undefined>>;
	machineId: string;
	fault: FaultPoint;
}

export interface PtyService extends AsyncDisposable {
	readonly handlers: TerminalHandlers;
	terminalsSnapshot(): TopicSnapshot<"terminals.state">;
	counts(): { terminals: number };
	status(): DaemonStatus["pty_host"];
	/** Ends every terminal and waits until the host has reported each end; then the host goes with this daemon. */
	stopTerminals(): Promise<void>;
}

/** Between the answer to a start and the attach to it a busy machine may take seconds; a quick program has ended by then. */
const LINGER_MS = 10_000;
const STOP_TERMINALS_TIMEOUT_MS = 10_000;

/**
 * Terminals, from the daemon's side. Adopts a living pty-host, settles the rows of what is gone, and starts a host with the
 * first terminal. Disposing leaves the host and its terminals alone.
 * @throws AppError HOME_NOT_WRITABLE, STORAGE_FAILED. A host that cannot be used is reported by `status`, not thrown.
 */
export async function createPtyService(options: PtyServiceOptions): Promise<PtyService> {
	const { store, logger, machineId } = options;
	const table = createTerminalTable(store, options.publish);
	const waiters = new Set<() => void>();
	/** Ended terminals that the host still holds. */
	const lingering = new Map<string, Disposable>();
	const link = createHostLink({
		...options,
		onTerminal: (terminal) =>
			void hear(terminal).catch((error: unknown) =>
				logger.error("terminal state not stored", { error: String(error) }),
			),
		onLost: () => {
			logger.error("the pty-host is gone, its terminals with it");
			void settleGone(table, new Set(), options, "The pty-host ended.");
		},
	});

	async function hear(terminal: HostTerminal): Promise<void> {
		const shown = table.overlay(terminal, machineId);
		if (terminal.status !== "exited") return;
		await table.end(
			{
				terminal_id: terminal.terminal_id,
				status: "exited",
				exit_code: terminal.exit_code,
				signal: terminal.signal,
				reason: null,
			},
			shown,
		);
		options.telemetry.count("terminal_ended");
		for (const waiter of waiters) waiter();
		// The host keeps it until its end is on disk, and a while longer for an attach that is on its way.
		const timer = options.clock.after(LINGER_MS, () => forget(terminal.terminal_id));
		lingering.set(terminal.terminal_id, timer);
	}
	function forget(terminalId: string): void {
		lingering.get(terminalId)?.[Symbol.dispose]();
		lingering.delete(terminalId);
		table.release(terminalId);
		// The line may be gone with the host, and the terminal with it.
		const told = async (): Promise<unknown> => link.current().request("forget", { terminal_id: terminalId });
		told().catch((error: unknown) =>
			logger.debug("an ended terminal was not taken from the host", { error: String(error) }),
		);
	}
	const adopted = await adoptHost(link, logger);
	const held = adopted ? await takeOver(adopted, options, hear) : new Set<string>();
	await settleGone(table, held, options, "The pty-host was gone when the daemon started.");

	return {
		handlers: createTerminalHandlers({ ...options, link, table }),
		terminalsSnapshot: () => ({ terminals: table.living() }),
		counts: () => ({ terminals: table.living().length }),
		status: () => link.status(),
		async stopTerminals() {
			const living = table.living();
			if (living.length === 0) return;
			const gone = Promise.withResolvers<void>();
			const check = (): void => {
				if (table.living().length === 0) gone.resolve();
			};
			waiters.add(check);
			const timer = options.clock.after(STOP_TERMINALS_TIMEOUT_MS, () => gone.resolve());
			for (const { terminal_id } of living) await link.current().request("kill", { terminal_id });
			check();
			await gone.promise;
			timer[Symbol.dispose]();
			waiters.delete(check);
		},
		async [Symbol.asyncDispose]() {
			for (const terminalId of [...lingering.keys()]) forget(terminalId);
			link.close();
		},
	};
}

async function adoptHost(link: HostLink, logger: Logger): Promise<HostConnection | undefined> {
	try {
		return await link.adopt();
	} catch (error) {
		logger.error("a pty-host lives and cannot be used", { error: String(error) });
		return undefined;
	}
}

/** Takes over what a living host holds; returns the ids. */
async function takeOver(
	host: HostConnection,
	options: PtyServiceOptions,
	hear: (terminal: HostTerminal) => Promise<void>,
): Promise<Set<string>> {
	const { terminals } = await host.request("list");
	const held = (Array.isArray(terminals) ? terminals : []).map((entry) =>
		parseHostTerminal(entry as Record<string, unknown>),
	);
	for (const terminal of held) {
		await options.store.write(terminalRunning, {
			terminal_id: terminal.terminal_id,
			name: terminal.name,
			default_name: terminal.name,
			argv: terminal.argv,
			cwd: terminal.cwd,
			env: {},
			cols: terminal.cols,
			rows: terminal.rows,
			machine_id: options.machineId,
			created_by: terminal.created_by,
		});
		await hear(terminal);
	}
	if (held.length > 0) options.logger.info("terminals adopted", { count: held.length, pty_host: host.pid });
	return new Set(held.map((terminal) => terminal.terminal_id));
}

/** Rows that say running while no host holds them: ended unseen, with their code, or lost. */
async function settleGone(
	table: TerminalTable,
	held: ReadonlySet<string>,
	options: PtyServiceOptions,
	why: string,
): Promise<void> {
	const ended = takeEndedTerminals(options.paths);
	for (const { terminal_id } of listTerminals(options.store, { ended: false })) {
		if (held.has(terminal_id)) continue;
		const seen = ended.get(terminal_id);
		await table.end(
			seen
				? { ...seen, status: "exited", reason: null }
				: { terminal_id, status: "lost", exit_code: null, signal: null, reason: why },
		);
		if (!seen) options.logger.warn("terminal lost", { terminal_id, reason: why });
	}
}
