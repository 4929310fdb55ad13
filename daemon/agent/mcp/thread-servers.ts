import type { ThreadSettings } from "#protocol/record.ts";
import { type ConfiguredServer, neededVariables, parseServers } from "./config.ts";
import type { ConnectionOptions } from "./connection.ts";
import type { ManagedServer, ServerState } from "./server.ts";
import type { ServerLease, ServerPool } from "./server-pool.ts";
import { serverKey } from "./server-pool.ts";

export interface McpThread {
	readonly threadId: string;
	/** Absolute. */
	readonly cwd: string;
	readonly settings?: ThreadSettings | undefined;
}

/** The servers of one thread as its configuration has them now. */
export interface ThreadServers extends AsyncDisposable {
	readonly configured: readonly ConfiguredServer[];
	readonly running: ReadonlyMap<string, ManagedServer>;
	/** Calls that a person allowed for the rest of the thread. */
	readonly grants: Set<string>;
	/** Starts what is new, ends what is gone, leaves the rest. */
	update(table: unknown, thread: McpThread): void;
}

export interface ThreadServersPorts {
	readonly pool: ServerPool;
	readonly version: string;
	env(threadId: string): Readonly<Record<string, string | undefined>>;
	/** Params of Codex's `mcpServer/startupStatus/updated`. */
	status(params: Readonly<Record<string, unknown>>): void;
}

export function createThreadServers(ports: ThreadServersPorts): ThreadServers {
	const leases = new Map<string, { lease: ServerLease; listening: Disposable }>();
	const running = new Map<string, ManagedServer>();
	let configured: readonly ConfiguredServer[] = [];

	function tell(threadId: string, name: string, state: ServerState): void {
		const error = state.status === "failed" ? state.error : null;
		ports.status({ threadId, name, status: state.status, error, failureReason: null });
	}

	async function release(name: string): Promise<void> {
		const entry = leases.get(name);
		if (entry === undefined) return;
		entry.listening[Symbol.dispose]();
		leases.delete(name);
		running.delete(name);
		await entry.lease[Symbol.asyncDispose]();
	}

	function start(threadId: string, options: ConnectionOptions): void {
		const { name } = options;
		const lease = ports.pool.acquire(options);
		const { server } = lease;
		tell(threadId, name, { status: "starting" });
		if (server.state.status !== "starting") tell(threadId, name, server.state);
		leases.set(name, { lease, listening: server.onState((state) => tell(threadId, name, state)) });
		running.set(name, server);
	}

	function wantedServers({ threadId, cwd }: McpThread): Map<string, ConnectionOptions> {
		const all = ports.env(threadId);
		const wanted = new Map<string, ConnectionOptions>();
		for (const { name, config } of configured) {
			if (config?.enabled !== true) continue;
			wanted.set(name, { name, config, cwd, env: neededVariables(config, all), version: ports.version });
		}
		return wanted;
	}

	return {
		grants: new Set(),
		running,
		get configured() {
			return configured;
		},
		update(table, thread) {
			configured = parseServers(table, thread.settings?.config);
			const wanted = wantedServers(thread);
			for (const [name, { lease }] of [...leases]) {
				const options = wanted.get(name);
				if (options !== undefined && serverKey(options) === lease.key) wanted.delete(name);
				else void release(name);
			}
			for (const options of wanted.values()) start(thread.threadId, options);
		},
		async [Symbol.asyncDispose]() {
			await Promise.all([...leases.keys()].map(release));
		},
	};
}
