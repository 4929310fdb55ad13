import type { Clock } from "#base/clock.ts";
import type { ToolSource } from "#daemon/agent/tool-source.ts";
import { namespaceOf } from "./names.ts";
import type { ManagedServer } from "./server.ts";
import { createServerPool } from "./server-pool.ts";
import { type McpServerStatus, statusRow } from "./status.ts";
import { createThreadServers, type McpThread, type ThreadServers } from "./thread-servers.ts";
import { toolSet, waitForStart } from "./tool-set.ts";

export interface McpPorts {
	readonly clock: Clock;
	/** Codex's version that servers hear of. */
	readonly version: string;
	/** How long a turn waits for servers that still start; a second, as the real server. */
	readonly startWaitMs?: number | undefined;
	/** Where servers start that are listed without a thread. */
	readonly defaultCwd: string;
	/** `[mcp_servers]` of config.toml as it is now, parsed but not checked; undefined when there is none. */
	table(): unknown;
	/** A person allowed a tool for good; keeps it in config.toml. Absent: it counts for the thread. */
	allowForGood?(server: string, tool: string): Promise<void>;
	/** The thread's environment; only named variables of it reach a server. */
	env(threadId: string | null): Readonly<Record<string, string | undefined>>;
	/** A Codex notification of a thread, outside of any turn. */
	notify(threadId: string, method: string, params: Readonly<Record<string, unknown>>): void;
}

export interface McpCall {
	readonly threadId: string;
	readonly server: string;
	readonly signal: AbortSignal;
}

/** The MCP servers of all threads; whoever makes it disposes it, which ends every server. */
export interface McpServers extends AsyncDisposable {
	/** Begins to start the thread's servers, and tells of each; returns at once. Again after a change of its settings. */
	open(thread: McpThread): void;
	/** The thread is gone or rests: its servers end, unless another thread has them too. */
	close(threadId: string): Promise<void>;
	/** Waits for the `required` servers of an open thread; what failed, as Codex words it, or null. */
	requiredFailure(threadId: string): Promise<string | null>;
	/** Tools of the thread's servers; opens the thread when nobody has. Waits a second for servers that still start. */
	readonly source: ToolSource;
	/** What the prompt says of servers whose tools are found by search. */
	namespaces(threadId: string): readonly { name: string; description: string }[];
	/** Rows of `mcpServerStatus/list`; null: servers of the configuration, started for the question. */
	status(request: {
		threadId: string | null;
		serverName?: string | null | undefined;
		withResources?: boolean | undefined;
	}): Promise<McpServerStatus[]>;
	/** Calls a tool for a client, outside of a turn. @throws Error with Codex's message. */
	callTool(
		call: McpCall & { tool: string; args: unknown; meta?: unknown },
	): Promise<Readonly<Record<string, unknown>>>;
	/** @throws Error with Codex's message. */
	readResource(call: McpCall & { uri: string }): Promise<{ contents: unknown[]; originCallId: null }>;
	/** Config.toml changed: servers of open threads follow. */
	reload(): void;
}

interface OpenThread {
	thread: McpThread;
	readonly servers: ThreadServers;
}

interface RowOptions {
	readonly serverName: string | null;
	readonly ofThread: boolean;
	readonly withResources: boolean;
}

/** A client that asks for the list is not kept waiting longer. */
const STATUS_WAIT_MS = 30_000;

function rows(servers: ThreadServers, { serverName, ...options }: RowOptions): Promise<McpServerStatus[]> {
	const signal = AbortSignal.timeout(STATUS_WAIT_MS);
	const listed = servers.configured.filter(({ name }) => serverName === null || name === serverName);
	return Promise.all(
		listed.map(({ name, config, wrong }) =>
			statusRow({ name, config, wrong, server: servers.running.get(name) ?? null, signal, ...options }),
		),
	);
}

async function requiredFailure(running: Iterable<ManagedServer>): Promise<string | null> {
	const required = [...running].filter((server) => server.options.config.required);
	await Promise.all(required.map((server) => server.settled));
	const failed = required.flatMap(({ state, options }) =>
		state.status === "failed"
			? [`${options.name}: ${state.detail.replace(/^MCP startup failed: /, "")}`]
			: [],
	);
	return failed.length === 0 ? null : `required MCP servers failed to initialize: ${failed.join("; ")}`;
}

function namespaces(running: Iterable<ManagedServer>): { name: string; description: string }[] {
	return [...running].flatMap(({ catalogue, options }) =>
		catalogue === null
			? []
			: [{ name: namespaceOf(options.name), description: catalogue.instructions ?? "" }],
	);
}

const asObject = (value: unknown): Record<string, unknown> | undefined =>
	value !== null && typeof value === "object" ? (value as Record<string, unknown>) : undefined;

export function createMcpServers(ports: McpPorts): McpServers {
	const pool = createServerPool();
	const threads = new Map<string, OpenThread>();
	const runningOf = (threadId: string): Iterable<ManagedServer> =>
		threads.get(threadId)?.servers.running.values() ?? [];

	function make(threadId: string | null): ThreadServers {
		return createThreadServers({
			pool,
			version: ports.version,
			env: () => ports.env(threadId),
			status: (params) => {
				if (threadId !== null) ports.notify(threadId, "mcpServer/startupStatus/updated", params);
			},
		});
	}

	function open(thread: McpThread): ThreadServers {
		const known = threads.get(thread.threadId) ?? { thread, servers: make(thread.threadId) };
		known.thread = thread;
		threads.set(thread.threadId, known);
		known.servers.update(ports.table(), thread);
		return known.servers;
	}

	function serverOf({ threadId, server: name }: McpCall): ManagedServer {
		const server = threads.get(threadId)?.servers.running.get(name);
		if (server === undefined) throw new Error(`unknown MCP server '${name}'`);
		return server;
	}

	return {
		open: (thread) => void open(thread),
		async close(threadId) {
			const known = threads.get(threadId);
			threads.delete(threadId);
			await known?.servers[Symbol.asyncDispose]();
		},
		requiredFailure: (threadId) => requiredFailure(runningOf(threadId)),
		source: (request) => toolSet(open(request), request, ports),
		namespaces: (threadId) => namespaces(runningOf(threadId)),
		async status({ threadId, serverName = null, withResources = true }) {
			const known = threadId === null ? undefined : threads.get(threadId);
			if (known !== undefined) {
				await waitForStart(known.servers.running.values(), ports);
				return rows(known.servers, { serverName, ofThread: true, withResources });
			}
			await using asked = make(null);
			asked.update(ports.table(), { threadId: "", cwd: ports.defaultCwd });
			await Promise.all([...asked.running.values()].map((server) => server.settled));
			return await rows(asked, { serverName, ofThread: false, withResources });
		},
		async callTool(call) {
			const connection = await serverOf(call).connect();
			const { signal, tool } = call;
			return await connection.callTool(tool, asObject(call.args) ?? {}, {
				signal,
				meta: asObject(call.meta),
			});
		},
		async readResource(call) {
			const connection = await serverOf(call).connect();
			const { contents } = await connection.readResource(call.uri, call.signal);
			return { contents, originCallId: null };
		},
		reload() {
			for (const { thread } of [...threads.values()]) open(thread);
		},
		async [Symbol.asyncDispose]() {
			threads.clear();
			await pool[Symbol.asyncDispose]();
		},
	};
}
