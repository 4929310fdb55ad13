import type { ConnectionOptions } from "./connection.ts";
import { createServer, type ManagedServer } from "./server.ts";

/** A use of a server; the last one that is given back ends it. */
export interface ServerLease extends AsyncDisposable {
	readonly server: ManagedServer;
	/** Two uses with the same key have the same server. */
	readonly key: string;
}

/** Servers by what makes them: threads with equal configuration, folder and variables share one. */
export interface ServerPool extends AsyncDisposable {
	acquire(options: ConnectionOptions): ServerLease;
}

/** Equal for servers that threads may share: same name, configuration, folder and variables. */
export function serverKey({ name, config, cwd, env }: ConnectionOptions): string {
	return JSON.stringify([
		name,
		config,
		cwd,
		Object.entries(env).toSorted(([one], [other]) => (one < other ? -1 : 1)),
	]);
}

export function createServerPool(): ServerPool {
	const shared = new Map<string, { server: ManagedServer; uses: number }>();

	return {
		acquire(options) {
			const key = serverKey(options);
			const entry = shared.get(key) ?? { server: createServer(options), uses: 0 };
			entry.uses += 1;
			shared.set(key, entry);
			let given = false;
			return {
				key,
				server: entry.server,
				async [Symbol.asyncDispose]() {
					if (given) return;
					given = true;
					entry.uses -= 1;
					if (entry.uses > 0) return;
					shared.delete(key);
					await entry.server[Symbol.asyncDispose]();
				},
			};
		},
		async [Symbol.asyncDispose]() {
			const servers = [...shared.values()].map(({ server }) => server);
			shared.clear();
			await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
		},
	};
}
