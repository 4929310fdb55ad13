import type { ModelItem } from "#daemon/agent/model.ts";
import type { Tool, ToolContext, ToolResult } from "#daemon/agent/tool.ts";
import { declareTool, typeOf } from "./declaration.ts";

/** A tool as scripts see it. */
export interface NestedTool {
	/** Name on the global `tools`. */
	readonly name: string;
	/** With its declaration, as `ALL_TOOLS` has it. */
	readonly description: string;
	/** Left out of the description of `exec`; still in `ALL_TOOLS`. */
	readonly deferred: boolean;
	readonly custom: boolean;
	readonly tool: Tool;
}

/** What only a direct call can do: the person's answer ends the wait of the model, not that of a script. */
const DIRECT = new Set(["request_user_input", "request_user_input_async", "tool_search", "wait", "exec"]);

const COMMAND_RESULT = {
	type: "object",
	properties: {
		chunk_id: { type: "string" },
		wall_time_seconds: { type: "number", description: "Seconds that this call waited." },
		exit_code: { type: "number", description: "Present once the command has ended." },
		session_id: { type: "number", description: "Present while it runs; for write_stdin." },
		original_token_count: { type: "number", description: "Size of the output before it was cut." },
		output: { type: "string" },
	},
	required: ["wall_time_seconds", "output"],
};
const IMAGE_RESULT = {
	type: "object",
	properties: { image_url: { type: "string", description: "Data URL of the image." } },
	required: ["image_url"],
};

/** The function or custom spec inside a tool's spec, and the namespace around it. */
function unwrap(spec: ModelItem): { spec: ModelItem; namespace: string | null } {
	if (spec.type !== "namespace") return { spec, namespace: null };
	const [inner] = Array.isArray(spec["tools"]) ? (spec["tools"] as ModelItem[]) : [];
	return { spec: inner ?? spec, namespace: String(spec["name"]) };
}

const identifier = (name: string): string => name.replaceAll(/[^\w$]/g, "_");

function resultType(name: string, spec: ModelItem): string {
	if (name === "exec_command" || name === "write_stdin") return typeOf(COMMAND_RESULT);
	if (name === "view_image") return typeOf(IMAGE_RESULT);
	if (name.startsWith("mcp__")) {
		const output = spec["output_schema"];
		return output === undefined ? "CallToolResult" : `CallToolResult<${typeOf(output)}>`;
	}
	return "unknown";
}

function nest(tool: Tool): NestedTool | null {
	const { spec, namespace } = unwrap(tool.spec);
	if (spec.type !== "function" && spec.type !== "custom") return null;
	const own = String(spec["name"]);
	if (namespace === null && DIRECT.has(own)) return null;
	const name = identifier(
		namespace === null || own.startsWith(`${namespace}__`) ? own : `${namespace}__${own}`,
	);
	const custom = spec.type === "custom";
	const declaration = declareTool(
		name,
		custom ? "text" : { parameters: spec["parameters"] },
		resultType(name, spec),
	);
	return {
		name,
		description: `${String(spec["description"] ?? "")}\n\nexec tool declaration:\n\`\`\`ts\n${declaration}\n\`\`\``,
		deferred: spec["defer_loading"] === true,
		custom,
		tool,
	};
}

/** Splits tools into those that scripts call, sorted by name, and those that the model calls itself. */
export function splitTools(tools: readonly Tool[]): {
	nested: readonly NestedTool[];
	direct: readonly Tool[];
} {
	const nested: NestedTool[] = [];
	const direct: Tool[] = [];
	for (const tool of tools) {
		const entry = nest(tool);
		if (entry !== null) nested.push(entry);
		// Hosted tools have no place beside `exec`, and `ALL_TOOLS` is the search.
		else if (tool.spec.type === "function" && tool.name !== "tool_search") direct.push(tool);
	}
	return { nested: nested.toSorted((one, other) => (one.name < other.name ? -1 : 1)), direct };
}

/** Input as the tool itself takes it, or what is wrong with it. `json` is what the script gave; undefined: nothing. */
export function nestedInput(
	{ name, custom }: NestedTool,
	json: string | undefined,
): { input: string } | { wrong: string } {
	if (custom) {
		const value: unknown = json === undefined ? undefined : JSON.parse(json);
		return typeof value === "string"
			? { input: value }
			: { wrong: `tool \`${name}\` expects a string input` };
	}
	if (json === undefined) return { input: "{}" };
	return json.startsWith("{")
		? { input: json }
		: { wrong: `tool \`${name}\` expects a JSON object for arguments` };
}

const COMMAND_OUTPUT =
	/^(?:Chunk ID: (?<chunk>\S*)\n)?Wall time: (?<wall>[\d.]+) seconds\n(?:Process exited with code (?<exit>-?\d+)\n)?(?:Process running with session ID (?<session>\d+)\n)?(?:Original token count: (?<tokens>\d+)\n)?Output:\n?/;

/** The text form of a command's result as members; null when it is something else. */
function commandValue(output: string): Record<string, unknown> | null {
	const match = COMMAND_OUTPUT.exec(output);
	if (match?.groups === undefined) return null;
	const { chunk, wall, exit, session, tokens } = match.groups;
	if (exit === undefined && session === undefined) return null;
	return {
		...(chunk === undefined ? {} : { chunk_id: chunk }),
		wall_time_seconds: Number(wall),
		...(exit === undefined ? {} : { exit_code: Number(exit) }),
		...(session === undefined ? {} : { session_id: Number(session) }),
		...(tokens === undefined ? {} : { original_token_count: Number(tokens) }),
		output: output.slice(match[0].length),
	};
}

/** What the script's call gives: a value, or a text that it throws. */
export function nestedOutcome({ name }: NestedTool, result: ToolResult): { ok: boolean; value: string } {
	const give = (value: unknown) => ({ ok: true, value: JSON.stringify(value) ?? "null" });
	if (result.value !== undefined) return give(result.value);
	if (name === "exec_command" || name === "write_stdin") {
		const value = commandValue(result.output);
		if (value !== null) return give(value);
	}
	if (!result.success) return { ok: false, value: result.output };
	if (name === "apply_patch") return give({});
	const image = result.content?.find((part) => part.type === "input_image");
	if (name === "view_image" && image !== undefined) return give({ image_url: image["image_url"] });
	return give(result.output);
}

/** The context of one call out of a script. */
export function nestedContext(context: ToolContext, callId: string): ToolContext {
	return { ...context, callId };
}
