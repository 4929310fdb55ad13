import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
	CallToolRequestSchema,
	ListResourcesRequestSchema,
	ListResourceTemplatesRequestSchema,
	ListToolsRequestSchema,
	ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

// A small MCP server for tests. `node example-server.ts` speaks on stdio; `--http` listens on 127.0.0.1, prints its address
// and wants `Authorization: Bearer let-me-in` when WANT_TOKEN is set.

const PIXEL =
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const object = (properties: Record<string, unknown>, required: string[] = []) => ({
	type: "object" as const,
	properties,
	...(required.length > 0 ? { required } : {}),
});
const reading = { readOnlyHint: true };

const tools = [
	{
		name: "echo",
		description: "Says it again.",
		inputSchema: object({ text: { type: "string", description: "What to say" } }, ["text"]),
		annotations: reading,
	},
	{
		name: "add",
		description: "Adds two numbers.",
		inputSchema: object({ a: { type: "number" }, b: { type: "integer" } }, ["a", "b"]),
		outputSchema: object({ sum: { type: "number" } }, ["sum"]),
		annotations: reading,
	},
	{ name: "fail", description: "Fails.", inputSchema: object({}), annotations: reading },
	{
		name: "refuse",
		description: "Answers with a protocol error.",
		inputSchema: object({}),
		annotations: reading,
	},
	{ name: "picture", description: "A picture.", inputSchema: object({}), annotations: reading },
	{ name: "slow", description: "Waits with progress.", inputSchema: object({}), annotations: reading },
	{ name: "never", description: "Never answers.", inputSchema: object({}), annotations: reading },
	{ name: "crash", description: "Ends the server.", inputSchema: object({}), annotations: reading },
	{ name: "environment", description: "Names of variables.", inputSchema: object({}), annotations: reading },
	{ name: "ask", description: "Asks the person.", inputSchema: object({}), annotations: reading },
	{
		name: "delete-all",
		title: "Delete all",
		description: "Has side effects.",
		inputSchema: object({ path: { type: "string" } }),
		annotations: { destructiveHint: true, readOnlyHint: false },
	},
	{ name: "learn", description: "Adds a tool.", inputSchema: object({}), annotations: reading },
	{ name: "plain", description: "Has no annotations.", inputSchema: object({}) },
];

const text = (value: string) => ({ content: [{ type: "text" as const, text: value }] });

function createExample(): Server {
	const server = new Server(
		{ name: "example", version: "1.2.3" },
		{
			capabilities: { tools: { listChanged: true }, resources: {} },
			instructions: "Be kind to the example.",
		},
	);
	server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
	server.setRequestHandler(ListResourcesRequestSchema, () => ({
		resources: [{ uri: "note://one", name: "one", mimeType: "text/plain" }],
	}));
	server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
		resourceTemplates: [{ uriTemplate: "note://{name}", name: "note" }],
	}));
	server.setRequestHandler(ReadResourceRequestSchema, (request) => ({
		contents: [{ uri: request.params.uri, mimeType: "text/plain", text: "the note" }],
	}));
	server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
		const { name, arguments: args = {}, _meta: meta } = request.params;
		switch (name) {
			case "echo":
				return text(`echo: ${String(args["text"])}`);
			case "add": {
				const sum = Number(args["a"]) + Number(args["b"]);
				return { ...text(`sum ${sum}`), structuredContent: { sum } };
			}
			case "fail":
				return { ...text("it failed"), isError: true };
			case "learn":
				tools.push({ name: "learned", description: "New.", inputSchema: object({}), annotations: reading });
				await server.sendToolListChanged();
				return text("learned");
			case "refuse":
				throw new Error("refused by the server");
			case "picture":
				return {
					content: [
						{ type: "text" as const, text: "look" },
						{ type: "image" as const, data: PIXEL, mimeType: "image/png" },
					],
				};
			case "slow": {
				const progressToken = meta?.progressToken;
				for (const progress of [1, 2]) {
					if (progressToken === undefined) break;
					await extra.sendNotification({
						method: "notifications/progress",
						params: { progressToken, progress, total: 2, message: `step ${progress}` },
					});
				}
				return text(progressToken === undefined ? "slow done" : "slow done with progress");
			}
			case "never":
				return new Promise<never>((_resolve, reject) => {
					extra.signal.addEventListener("abort", () => reject(new Error("cancelled")));
				});
			case "crash":
				process.exit(3);
				break;
			case "environment":
				return text(Object.keys(process.env).sort().join(","));
			case "ask": {
				const answer = await server.elicitInput({
					message: "Which colour?",
					requestedSchema: {
						type: "object",
						properties: { colour: { type: "string", title: "Colour" } },
						required: ["colour"],
					},
				});
				return text(`answer: ${JSON.stringify(answer)}`);
			}
			default:
				return text(`${name} was called with ${JSON.stringify(args)}`);
		}
		return text("");
	});
	return server;
}

async function serveHttp(): Promise<void> {
	const sessions = new Map<string, StreamableHTTPServerTransport>();
	const http = createServer((request, response) => {
		void (async () => {
			if (process.env["WANT_TOKEN"] && request.headers.authorization !== "Bearer let-me-in") {
				response.writeHead(401).end();
				return;
			}
			const id = String(request.headers["mcp-session-id"] ?? "");
			let transport = sessions.get(id);
			if (!transport) {
				const fresh: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
					sessionIdGenerator: () => crypto.randomUUID(),
					onsessioninitialized: (session) => void sessions.set(session, fresh),
				});
				transport = fresh;
				await createExample().connect(fresh as Parameters<Server["connect"]>[0]);
			}
			await transport.handleRequest(request, response);
		})();
	});
	http.listen(0, "127.0.0.1", () => {
		process.stdout.write(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp\n`);
	});
}

if (process.argv.includes("--http")) await serveHttp();
else await createExample().connect(new StdioServerTransport());
