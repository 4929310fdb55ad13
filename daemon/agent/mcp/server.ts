import {
	type ConnectionOptions,
	failureText,
	type McpConnection,
	openConnection,
	type ServerCatalogue,
	StartupTimeout,
} from "./connection.ts";

/** `error` is what clients are told, `detail` what the list of servers has. */
export type ServerState =
	| { status: "starting" }
	| { status: "ready" }
	| { status: "failed"; error: string; detail: string }
	| { status: "cancelled" };

/** One server of the configuration, kept running while a thread wants it. */
export interface ManagedServer extends AsyncDisposable {
	readonly options: ConnectionOptions;
	readonly state: ServerState;
	/** Resolves when the first start has come to an end, good or bad. */
	readonly settled: Promise<void>;
	/** The open connection; null before it is ready and after it went away. */
	readonly current: McpConnection | null;
	/** What it said of itself last, kept while it is away so that its tools stay offered; null before it was ready once. */
	readonly catalogue: ServerCatalogue | null;
	/** The connection, started anew when the server went away. @throws Error when it does not start. */
	connect(): Promise<McpConnection>;
	onState(listener: (state: ServerState) => void): Disposable;
}

function startFailure(name: string, error: unknown): ServerState {
	if (error instanceof StartupTimeout) {
		const { seconds } = error;
		return {
			status: "failed",
			error: `MCP client for \`${name}\` timed out after ${seconds} seconds. Add or adjust \`startup_timeout_sec\` in your config.toml:\n[mcp_servers.${name}]\nstartup_timeout_sec = XX`,
			detail: `MCP startup failed: ${error.message}`,
		};
	}
	const reason = failureText(error, 0);
	const before = /\(os error \d+\)$|^Environment variable/.test(reason);
	const detail = `MCP startup failed: ${before ? "" : "handshaking with MCP server failed: "}${reason}`;
	return { status: "failed", error: `MCP client for \`${name}\` failed to start: ${detail}`, detail };
}

export function createServer(options: ConnectionOptions): ManagedServer {
	const stop = new AbortController();
	const listeners = new Set<(state: ServerState) => void>();
	let state: ServerState = { status: "starting" };
	let current: McpConnection | null = null;
	let catalogue: ServerCatalogue | null = null;

	function tell(next: ServerState): void {
		state = next;
		for (const listener of [...listeners]) listener(next);
	}

	async function start(): Promise<McpConnection> {
		try {
			current = await openConnection(options, stop.signal);
			({ catalogue } = current);
			tell({ status: "ready" });
			return current;
		} catch (error) {
			tell(stop.signal.aborted ? { status: "cancelled" } : startFailure(options.name, error));
			throw error;
		}
	}

	let starting = start();
	starting.catch(() => undefined);
	const settled = starting.then(
		() => undefined,
		() => undefined,
	);

	return {
		options,
		settled,
		get state() {
			return state;
		},
		get catalogue() {
			return catalogue;
		},
		get current() {
			return current?.open === true ? current : null;
		},
		connect() {
			// One that has never started would not start now either; config.toml has to change first.
			const away = catalogue !== null && current?.open !== true && state.status !== "starting";
			if (away && !stop.signal.aborted) {
				current = null;
				tell({ status: "starting" });
				starting = start();
				starting.catch(() => undefined);
			}
			return starting;
		},
		onState(listener) {
			listeners.add(listener);
			return { [Symbol.dispose]: () => void listeners.delete(listener) };
		},
		async [Symbol.asyncDispose]() {
			stop.abort(new Error("the MCP server is not needed any more"));
			await settled;
			await current?.[Symbol.asyncDispose]();
		},
	};
}
