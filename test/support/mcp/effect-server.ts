import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

// An MCP server on stdio: `append` leaves a line in the file that EFFECTS names, so that what it did can be counted;
// `never` does not answer.

const annotations = { readOnlyHint: true };
const line = { type: "string" };
const tools = [
	{
		name: "append",
		description: "Writes a line.",
		inputSchema: { type: "object", properties: { line }, required: ["line"] },
		annotations,
	},
	{ name: "never", description: "Never ends.", inputSchema: { type: "object" }, annotations },
];

interface Request {
	id?: number | string;
	method?: string;
	params?: { protocolVersion?: string; name?: string; arguments?: { line?: string } };
}

function answer({ method, params }: Request): unknown {
	if (method === "initialize") {
		const serverInfo = { name: "effects", version: "1.0.0" };
		return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
	}
	if (method === "tools/list") return { tools };
	if (method !== "tools/call") return {};
	appendFileSync(process.env["EFFECTS"] ?? "/dev/null", `${params?.arguments?.line}\n`);
	return { content: [{ type: "text", text: "written" }] };
}

createInterface({ input: process.stdin }).on("line", (text) => {
	const request = JSON.parse(text) as Request;
	if (request.id === undefined || request.params?.name === "never") return;
	process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: request.id, result: answer(request) })}\n`);
});
