import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A front of a scripted model: answers who asks for structured output, so that the script is left to the conversation. */
export interface TitleFront extends AsyncDisposable {
	/** The provider's base_url. */
	readonly url: string;
	/** How often a title was asked for. */
	asked(): number;
}

async function readText(from: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	for await (const part of from) parts.push(part as Buffer);
	return Buffer.concat(parts).toString("utf8");
}

function wantsStructure(body: string): boolean {
	try {
		const said = JSON.parse(body) as { text?: { format?: unknown } };
		return said.text?.format !== undefined && said.text.format !== null;
	} catch {
		return false;
	}
}

function sayTitle(response: ServerResponse, title: string): void {
	const text = JSON.stringify({ title });
	const content = [{ type: "output_text", text, annotations: [] }];
	const item = { id: "msg_title", type: "message", role: "assistant", status: "completed", content };
	const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
	const events = [
		{ type: "response.created", response: { id: "resp_title" } },
		{ type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
		{ type: "response.output_item.done", output_index: 0, item },
		{
			type: "response.completed",
			response: { id: "resp_title", status: "completed", output: [item], usage },
		},
	];
	response.writeHead(200, { "content-type": "text/event-stream" });
	response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
}

function passOn(from: IncomingMessage, body: string, response: ServerResponse, origin: string): void {
	const { host: _, ...headers } = from.headers;
	const onward = request(`${origin}${from.url}`, { method: from.method, headers, agent: false }, (answer) => {
		response.writeHead(answer.statusCode ?? 502, answer.headers);
		answer.pipe(response);
		answer.once("error", () => response.destroy());
	});
	onward.once("error", () => response.destroy());
	response.once("close", () => onward.destroy());
	onward.end(body);
}

/** The real TUI gives every thread a title by a side thread of its own, at a moment of its own. */
export async function startTitleFront(modelUrl: string, title: string): Promise<TitleFront> {
	const { origin } = new URL(modelUrl);
	let asked = 0;
	const server = createServer((from, response) => {
		void readText(from).then((body) => {
			if (!wantsStructure(body)) return passOn(from, body, response, origin);
			asked += 1;
			sayTitle(response, title);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
		asked: () => asked,
		async [Symbol.asyncDispose]() {
			const closed = new Promise((resolve) => server.close(resolve));
			server.closeAllConnections();
			await closed;
		},
	};
}
