import { z } from "zod";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "#daemon/agent/tool.ts";
import type { McpConnection } from "./connection.ts";
import { failureText } from "./connection.ts";
import type { ManagedServer } from "./server.ts";
import { callItem } from "./tool.ts";

/** The servers of the thread, by name. */
type Servers = () => ReadonlyMap<string, ManagedServer>;

const listArguments = z.looseObject({
	server: z.string().optional().nullable(),
	cursor: z.string().optional().nullable(),
});
const readArguments = z.looseObject({ server: z.string(), uri: z.string() });

const refusal = (output: string): ToolResult => ({ output, success: false, stopTurn: false });

function parse<T>(schema: z.ZodType<T>, input: string): { args: T } | { wrong: string } {
	const value: unknown = input.trim() === "" ? {} : JSON.parse(input);
	const parsed = schema.safeParse(value);
	if (parsed.success) return { args: parsed.data };
	const [issue] = parsed.error.issues;
	return {
		wrong: `failed to parse function arguments: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
	};
}

interface ResourceCall {
	readonly server: string;
	readonly tool: string;
	readonly args: unknown;
	readonly context: ToolContext;
	run(): Promise<unknown>;
}

/** Runs the call inside its item; what it gives is JSON for the model. */
async function perform({ server, tool, args, context, run }: ResourceCall): Promise<ToolResult> {
	const startedAtMs = context.nowMs();
	const item = callItem(context.callId, { server, tool, args, readOnly: null, startedAtMs });
	const ended = () => {
		const completedAtMs = context.nowMs();
		return { durationMs: completedAtMs - startedAtMs, completedAtMs };
	};
	await context.items.started(item);
	try {
		const text = JSON.stringify(await run());
		const result = { content: [{ type: "text", text }], structuredContent: null, _meta: null };
		await context.items.completed({ ...item, ...ended(), status: "completed", result });
		return { output: text, success: true, stopTurn: false };
	} catch (error) {
		if (context.signal.aborted) return { ...refusal("aborted by user"), stopTurn: true };
		const message = `${tool} failed: ${failureText(error, 0)}`;
		await context.items.completed({ ...item, ...ended(), status: "failed", error: { message } });
		return refusal(message);
	}
}

async function connectionOf(servers: Servers, name: string): Promise<McpConnection> {
	const server = servers().get(name);
	if (server === undefined) throw new Error(`unknown MCP server '${name}'`);
	return server.connect();
}

/** Pages of one server that are read when all servers are asked. */
const PAGES_MAX = 20;

type Page = { entries: object[]; nextCursor?: string | undefined };
type ReadPage = (connection: McpConnection, cursor: string | undefined) => Promise<Page>;

async function readAll(servers: Servers, read: ReadPage): Promise<object[]> {
	const found = await Promise.all(
		[...servers()].map(async ([name, server]) => {
			if (server.catalogue?.capabilities?.resources === undefined) return [];
			const connection = await server.connect().catch(() => null);
			if (connection === null) return [];
			const entries: object[] = [];
			let cursor: string | undefined;
			for (let page = 0; page < PAGES_MAX; page += 1) {
				const listed: Page | null = await read(connection, cursor).catch(() => null);
				entries.push(...(listed?.entries ?? []).map((entry) => ({ server: name, ...entry })));
				cursor = listed?.nextCursor;
				if (cursor === undefined) break;
			}
			return entries;
		}),
	);
	return found.flat();
}

interface ListTool {
	readonly name: string;
	/** Of the list in what the model gets. */
	readonly member: string;
	readonly what: string;
	readonly read: (
		connection: McpConnection,
		cursor: string | undefined,
		signal: AbortSignal,
	) => Promise<Page>;
}

function createListTool(servers: Servers, { name, member, what, read }: ListTool): Tool {
	return defineTool({
		name,
		spec: {
			type: "function",
			name,
			description: `Lists ${what} that MCP servers offer: files, schemas and other context that can be read with read_mcp_resource.`,
			strict: false,
			parameters: {
				type: "object",
				properties: {
					cursor: {
						type: "string",
						description: "Where to go on, from an earlier call for the same server.",
					},
					server: { type: "string", description: "Name of one server; without it all are asked." },
				},
				additionalProperties: false,
			},
		},
		execute(input, context) {
			const parsed = parse(listArguments, input);
			if ("wrong" in parsed) return Promise.resolve(refusal(parsed.wrong));
			const { server, cursor } = parsed.args;
			const page: ReadPage = (connection, next) => read(connection, next, context.signal);
			return perform({
				server: server ?? "codex",
				tool: name,
				args: JSON.parse(input.trim() === "" ? "{}" : input),
				context,
				async run() {
					if (server === undefined || server === null) return { [member]: await readAll(servers, page) };
					const listed = await page(await connectionOf(servers, server), cursor ?? undefined);
					const entries = listed.entries.map((entry) => ({ server, ...entry }));
					const next = listed.nextCursor === undefined ? {} : { nextCursor: listed.nextCursor };
					return { server, [member]: entries, ...next };
				},
			});
		},
	});
}

/** Tools that read what servers offer beside their tools. */
export function createResourceTools(servers: Servers): readonly Tool[] {
	const resources = createListTool(servers, {
		name: "list_mcp_resources",
		member: "resources",
		what: "resources",
		async read(connection, cursor, signal) {
			const { resources: listed, nextCursor } = await connection.listResources(cursor, signal);
			return { entries: listed.map(({ uri, name, ...more }) => ({ uri, name, ...more })), nextCursor };
		},
	});
	const templates = createListTool(servers, {
		name: "list_mcp_resource_templates",
		member: "resourceTemplates",
		what: "templates of resources with parameters",
		async read(connection, cursor, signal) {
			const listed = await connection.listResourceTemplates(cursor, signal);
			const entries = listed.resourceTemplates.map(({ uriTemplate, name, ...more }) => ({
				uriTemplate,
				name,
				...more,
			}));
			return { entries, nextCursor: listed.nextCursor };
		},
	});
	const read = defineTool({
		name: "read_mcp_resource",
		spec: {
			type: "function",
			name: "read_mcp_resource",
			description: "Reads one resource of an MCP server.",
			strict: false,
			parameters: {
				type: "object",
				properties: {
					server: { type: "string", description: "Name of the server, as list_mcp_resources has it." },
					uri: { type: "string", description: "URI of the resource." },
				},
				required: ["server", "uri"],
				additionalProperties: false,
			},
		},
		execute(input, context) {
			const parsed = parse(readArguments, input);
			if ("wrong" in parsed) return Promise.resolve(refusal(parsed.wrong));
			const { server, uri } = parsed.args;
			return perform({
				server,
				tool: "read_mcp_resource",
				args: parsed.args,
				context,
				async run() {
					const { contents } = await (await connectionOf(servers, server)).readResource(uri, context.signal);
					return { server, uri, contents };
				},
			});
		},
	});
	return [resources, templates, read];
}
