import type { ModelItem } from "#daemon/agent/model.ts";
import type { NestedTool } from "./nested.ts";

const GRAMMAR = `
start: pragma_source | plain_source
pragma_source: PRAGMA_LINE NEWLINE SOURCE
plain_source: SOURCE

PRAGMA_LINE: /[ \\t]*\\/\\/ @exec:[^\\r\\n]*/
NEWLINE: /\\r?\\n/
SOURCE: /[\\s\\S]+/
`;

const INTRODUCTION = `Runs a script in JavaScript that calls tools, so that several calls, and what is done with their results, fit into one step.
- The input is the script itself: plain source text, no JSON around it, no quotes, no markdown fence. It is an ES module, so top-level \`await\` works; \`import\` does not.
- Tools are functions of the global \`tools\`: \`const r = await tools.exec_command({cmd: "ls"})\`. They take one object or, where declared so, one string, and give what their declaration says. A call that fails throws its message.
- There is nothing else: no Node.js, no files, no network, no console. Every script starts with fresh globals; only \`store\` and \`load\` carry values over.
- Calls that do not depend on each other run at once with \`Promise.all\`.
- Nothing is shown to you but what the script outputs with the functions below.
- The first line may set limits: \`// @exec: {"yield_time_ms": 10000, "max_output_tokens": 1000}\`. \`yield_time_ms\` (30000 by default): when the script takes longer, you get what it has output so far with a cell ID, and go on with \`wait\`. \`max_output_tokens\` (10000 by default): longer output loses its middle.
- When the script's last statement is done it is over: promises that nobody awaited, and timers, are dropped.

Globals:
- \`text(value)\`: outputs a text; what is not a string is shown as JSON.
- \`image(value)\`: outputs an image: a base64 \`data:\` URL, an object with such an \`image_url\`, or an image block of an MCP result.
- \`generatedImage(result)\`: outputs the image of an image tool's result, with its hint.
- \`audio(value)\`: the same for sound, where the model hears.
- \`store(key, value)\`, \`load(key)\`: keep a JSON value for later scripts of this conversation, and read it.
- \`notify(value)\`: tells you something now, beside the result.
- \`yield_control()\`: gives you the output so far now, while the script goes on.
- \`exit()\`: ends the script, as successful.
- \`setTimeout(callback, ms)\`, \`clearTimeout(id)\`.
- \`as_settled(promises)\`: async iteration over results as they come, each {index, status, value or reason}.
- \`ALL_TOOLS\`: every tool as {name, description}. Tools that are not described here are found there, and are called in the same way.`;

const MCP_TYPES = `Results of MCP tools:
\`\`\`ts
type ContentBlock =
  | { type: "text"; text: string }
  | { type: "image"; data: string; mimeType: string }
  | { type: "audio"; data: string; mimeType: string }
  | { type: "resource_link"; uri: string; name: string; description?: string; mimeType?: string }
  | { type: "resource"; resource: { uri: string; mimeType?: string; text?: string; blob?: string } };
type CallToolResult<T = { [key: string]: unknown }> = {
  content: ContentBlock[];
  structuredContent?: T;
  isError?: boolean;
};
\`\`\``;

/** `exec` as the model is told of it, every tool declared. Same tools, same text. */
export function execSpec(tools: readonly NestedTool[]): ModelItem {
	const shown = tools.filter((tool) => !tool.deferred);
	const mcp = tools.some((tool) => tool.name.startsWith("mcp__")) ? [MCP_TYPES] : [];
	const listed = shown.map((tool) => `### \`${tool.name}\`\n${tool.description}`);
	return {
		type: "custom",
		name: "exec",
		description: [INTRODUCTION, ...mcp, ...listed].join("\n\n"),
		format: { type: "grammar", syntax: "lark", definition: GRAMMAR },
	};
}

export const WAIT_SPEC: ModelItem = {
	type: "function",
	name: "wait",
	description: `Goes on with a script that \`exec\` left running ("Script running with cell ID ..."): gives what it has output since then, or its end.
- When the script still runs after \`yield_time_ms\`, it is left running again under the same cell ID.
- \`terminate: true\` ends it instead.`,
	strict: false,
	parameters: {
		type: "object",
		properties: {
			cell_id: { type: "string", description: "ID of the running script, as exec gave it." },
			max_tokens: { type: "number", description: "Most tokens of output; 10000 by default." },
			terminate: { type: "boolean", description: "True ends the script." },
			yield_time_ms: { type: "number", description: "How long to wait for its end; 10000 ms by default." },
		},
		required: ["cell_id"],
		additionalProperties: false,
	},
};
