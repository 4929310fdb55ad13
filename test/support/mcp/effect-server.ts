import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

// An MCP server on stdio whose one tool leaves a line in the file that EFFECTS names: what it did can be counted.

const tool = {
	name: "append",
	description: "Writes a line.",
	inputSchema: { type: "object", properties: { line: { type: "string" } }, required: ["line"] },
	annotations: { readOnlyHint: true },
};

interface Request {
	id?: number | string;
	method?: string;
	params?: { protocolVersion?: string; arguments?: { line?: string } };
}

function answer({ method, params }: Request): unknown {
	if (method === "initialize") {
		const serverInfo = { name: "effects", version: "1.0.0" };
		return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
	}
	if (method === "tools/list") return { tools: [tool] };
	if (method !== "tools/call") return {};
	appendFileSync(process.env["EFFECTS"] ?? "/dev/null", `${params?.arguments?.line}\n`);
	return { content: [{ type: "text", text: "written" }] };
}

createInterface({ input: process.stdin }).on("line", (line) => {
	const request = JSON.parse(line) as Request;
	if (request.id === undefined) return;
	process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: request.id, result: answer(request) })}\n`);
});
