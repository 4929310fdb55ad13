import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type {
	CallToolResult,
	Implementation,
	Tool as McpTool,
	Resource,
	ResourceTemplate,
	ServerCapabilities,
} from "@modelcontextprotocol/sdk/types.js";
import { type McpServerConfig, serverEnvironment, serverHeaders, startupTimeoutMs } from "./config.ts";
import { createStdioTransport } from "./stdio-transport.ts";

/** What a server says of itself once it has answered. */
export interface ServerCatalogue {
	readonly info: Implementation | null;
	readonly capabilities: ServerCapabilities | null;
	readonly instructions: string | null;
	readonly tools: readonly McpTool[];
}

/** Answers what a server asks the person, in MCP's shape. */
export type Elicit = (params: Readonly<Record<string, unknown>>) => Promise<Record<string, unknown>>;

export interface ConnectionOptions {
	readonly name: string;
	readonly config: McpServerConfig;
	readonly cwd: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** As the server hears of us. */
	readonly version: string;
}

export interface CallOptions {
	readonly signal: AbortSignal;
	/** Asked while the call runs; absent: the server hears that the person declined. */
	readonly elicit?: Elicit | undefined;
	/** Whose call it is: a question of the server reaches a person only when all running calls have one owner. */
	readonly owner?: string | undefined;
	readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** A server that answers, for whoever wants something of it. */
export interface McpConnection extends AsyncDisposable {
	readonly catalogue: ServerCatalogue;
	/** False once it has gone away by itself. */
	readonly open: boolean;
	/** @throws Error with what the model reads; the signal's reason when aborted. */
	callTool(tool: string, args: Record<string, unknown>, options: CallOptions): Promise<CallToolResult>;
	listResources(
		cursor: string | undefined,
		signal: AbortSignal,
	): Promise<{ resources: Resource[]; nextCursor?: string | undefined }>;
	listResourceTemplates(
		cursor: string | undefined,
		signal: AbortSignal,
	): Promise<{ resourceTemplates: ResourceTemplate[]; nextCursor?: string | undefined }>;
	readResource(uri: string, signal: AbortSignal): Promise<{ contents: unknown[] }>;
}

/** Pages of a catalogue that are read, at most. */
const PAGES_MAX = 50;
/** Tools of one server that are taken, far more than any model could be shown. */
const TOOLS_MAX = 2_000;

/** Everything of the SDK that is needed, loaded when the first server starts. */
const loadSdk = () =>
	Promise.all([
		import("@modelcontextprotocol/sdk/client/index.js"),
		import("@modelcontextprotocol/sdk/client/streamableHttp.js"),
		import("@modelcontextprotocol/sdk/types.js"),
	]);
type Sdk = Awaited<ReturnType<typeof loadSdk>>;

async function createTransport([, http]: Sdk, { config, cwd, env }: ConnectionOptions) {
	if (config.url === undefined) {
		const command = config.command ?? "";
		return createStdioTransport({
			command,
			args: config.args,
			cwd: config.cwd ?? cwd,
			env: serverEnvironment(config, env),
		});
	}
	const headers = serverHeaders(config, env);
	return new http.StreamableHTTPClientTransport(new URL(config.url), { requestInit: { headers } });
}

async function readTools(client: Client, [, , types]: Sdk, signal: AbortSignal): Promise<McpTool[]> {
	if (client.getServerCapabilities()?.tools === undefined) return [];
	const tools: McpTool[] = [];
	let cursor: string | undefined;
	for (let page = 0; page < PAGES_MAX; page += 1) {
		const params = cursor === undefined ? {} : { cursor };
		const listed = await client.request({ method: "tools/list", params }, types.ListToolsResultSchema, {
			signal,
		});
		tools.push(...listed.tools);
		cursor = listed.nextCursor;
		if (cursor === undefined || tools.length >= TOOLS_MAX) break;
	}
	return tools.slice(0, TOOLS_MAX);
}

/** The failure of a request as Codex words it; the server's own message without the SDK's preface. */
export function failureText(error: unknown, timeoutMs: number): string {
	const message = error instanceof Error ? error.message : String(error);
	const code = (error as { code?: unknown } | null)?.code;
	if (code === -32001) {
		const after = timeoutMs > 1000 ? `${Math.round(timeoutMs / 1000)}s` : `${timeoutMs}ms`;
		return `timed out awaiting tools/call after ${after}`;
	}
	if (code === -32000 || message === "Not connected") return "Transport closed";
	if (typeof code !== "number") return message;
	return `Mcp error: ${code}: ${message.replace(/^MCP error -?\d+: /, "")}`;
}

const DECLINED = { action: "decline" };

/**
 * Starts a server and reads its tools. Whoever opens it disposes it.
 * @throws Error with the reason, when it does not answer in `startup_timeout_sec`; the signal's reason when aborted.
 */
export async function openConnection(
	options: ConnectionOptions,
	signal: AbortSignal,
): Promise<McpConnection> {
	const { name, config, version } = options;
	const timeoutMs = startupTimeoutMs(config);
	const bound = AbortSignal.timeout(timeoutMs);
	const starting = AbortSignal.any([signal, bound]);
	const sdk = await loadSdk();
	const [{ Client: ClientClass }, , types] = sdk;
	const client: Client = new ClientClass(
		{ name: "codex-mcp-client", title: "Codex", version },
		{ capabilities: { elicitation: { form: {} } } },
	);
	const elicits: { owner: string | undefined; elicit: Elicit }[] = [];
	let open = true;
	client.onclose = () => {
		open = false;
	};
	client.setRequestHandler(types.ElicitRequestSchema, async ({ params }) => {
		const last = elicits.at(-1);
		// A shared server does not say for which call it asks: another thread's person must not answer for this one's.
		const isClear = last !== undefined && elicits.every(({ owner }) => owner === last.owner);
		const answer = isClear ? await last.elicit(params as Record<string, unknown>) : DECLINED;
		return answer as { action: "accept" | "decline" | "cancel" };
	});
	let tools: McpTool[];
	try {
		const transport = await createTransport(sdk, options);
		// The SDK's own transports and its interface disagree under exactOptionalPropertyTypes.
		await client.connect(transport as Parameters<Client["connect"]>[0], {
			signal: starting,
			timeout: timeoutMs,
		});
		tools = await readTools(client, sdk, starting);
	} catch (error) {
		await client.close().catch(() => undefined);
		if (signal.aborted) throw signal.reason;
		if (bound.aborted || (error as { code?: unknown }).code === -32001)
			throw new StartupTimeout(name, timeoutMs / 1000);
		throw error;
	}
	let reading: Promise<void> | undefined;
	let isStale = false;
	/** One reading at a time, however often the server says that something changed. */
	async function readAgain(): Promise<void> {
		while (isStale) {
			isStale = false;
			// A list that cannot be read leaves the last one.
			tools = await readTools(client, sdk, AbortSignal.timeout(timeoutMs)).catch(() => tools);
		}
		reading = undefined;
	}
	client.setNotificationHandler(types.ToolListChangedNotificationSchema, async () => {
		isStale = true;
		reading ??= readAgain();
		await reading;
	});
	const request = { timeout: config.tool_timeout_sec * 1000 };

	return {
		catalogue: {
			info: client.getServerVersion() ?? null,
			capabilities: client.getServerCapabilities() ?? null,
			instructions: client.getInstructions() ?? null,
			get tools() {
				return tools;
			},
		},
		get open() {
			return open;
		},
		async callTool(
			tool,
			args,
			{ signal: callSignal, elicit = () => Promise.resolve(DECLINED), owner, meta },
		) {
			const asked = { owner, elicit };
			elicits.push(asked);
			try {
				const params = { name: tool, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
				return await client.request({ method: "tools/call", params }, types.CallToolResultSchema, {
					...request,
					signal: callSignal,
					onprogress: () => undefined,
				});
			} finally {
				elicits.splice(elicits.indexOf(asked), 1);
			}
		},
		listResources: (cursor, listSignal) =>
			client.request(
				{ method: "resources/list", params: cursor === undefined ? {} : { cursor } },
				types.ListResourcesResultSchema,
				{ ...request, signal: listSignal },
			),
		listResourceTemplates: (cursor, listSignal) =>
			client.request(
				{ method: "resources/templates/list", params: cursor === undefined ? {} : { cursor } },
				types.ListResourceTemplatesResultSchema,
				{ ...request, signal: listSignal },
			),
		readResource: (uri, readSignal) =>
			client.request({ method: "resources/read", params: { uri } }, types.ReadResourceResultSchema, {
				...request,
				signal: readSignal,
			}),
		async [Symbol.asyncDispose]() {
			open = false;
			await client.close().catch(() => undefined);
		},
	};
}

/** The server did not answer in time. */
export class StartupTimeout extends Error {
	readonly server: string;
	readonly seconds: number;

	constructor(server: string, seconds: number) {
		super(`timed out handshaking with MCP server after ${seconds}s: deadline has elapsed`);
		this.server = server;
		this.seconds = seconds;
	}
}
