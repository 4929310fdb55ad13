import { z } from "zod";
import type { DynamicToolCallItem } from "#protocol/codex-item.ts";
import type { ThreadSettings } from "#protocol/record.ts";
import type { ModelDescription, ModelItem } from "../model.ts";
import { type ClientAnswer, defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { jsonFault } from "./json-fault.ts";
import { failure } from "./result.ts";

const functionSchema = z.looseObject({
	name: z.string().min(1),
	description: z.string().default(""),
	inputSchema: z.looseObject({}).default({}),
	deferLoading: z.boolean().nullish(),
});
const namespaceSchema = z.looseObject({
	type: z.literal("namespace"),
	name: z.string().min(1),
	description: z.string().default(""),
	tools: z.array(functionSchema),
});
/** Older clients name the namespace beside the tool. */
const flatSchema = functionSchema.extend({ namespace: z.string().nullish() });

const answerSchema = z.looseObject({
	contentItems: z.array(z.looseObject({ type: z.string() })).default([]),
	success: z.boolean(),
});

interface DynamicTool {
	readonly namespace: { name: string; description: string } | null;
	readonly name: string;
	readonly description: string;
	readonly inputSchema: Readonly<Record<string, unknown>>;
	readonly deferLoading?: boolean | null | undefined;
}

/** The tools that a client brought to the thread; entries of a shape we don't know are left out. */
export function createDynamicTools(settings: ThreadSettings, model: ModelDescription): readonly Tool[] {
	return (settings.dynamic_tools ?? []).flatMap(toDynamic).map((tool) => createDynamicTool(tool, model));
}

function toDynamic(spec: unknown): DynamicTool[] {
	const group = namespaceSchema.safeParse(spec);
	if (group.success) {
		const { name, description, tools } = group.data;
		return tools.map((tool) => ({ ...tool, namespace: { name, description } }));
	}
	const single = flatSchema.safeParse(spec);
	if (!single.success) return [];
	const { namespace } = single.data;
	return [{ ...single.data, namespace: namespace ? { name: namespace, description: "" } : null }];
}

function createDynamicTool(tool: DynamicTool, model: ModelDescription): Tool {
	const { namespace } = tool;
	const name = namespace === null ? tool.name : `${namespace.name}__${tool.name}`;
	const grouped = namespace !== null && model.toolNamespaces === true;
	const own: ModelItem = {
		type: "function",
		name: grouped ? tool.name : name,
		description: tool.description,
		strict: false,
		parameters: tool.inputSchema,
		...(tool.deferLoading === true && model.toolSearch === true ? { defer_loading: true } : {}),
	};
	return defineTool({
		name,
		spec: grouped ? { type: "namespace", ...namespace, tools: [own] } : own,
		execute: (input, context) => call(tool, input, context),
	});
}

async function call(tool: DynamicTool, input: string, context: ToolContext): Promise<ToolResult> {
	if (context.askClient === undefined) return failure("dynamic tool call failed: no client is connected");
	let args: unknown;
	try {
		args = JSON.parse(input === "" ? "{}" : input);
	} catch (error) {
		return failure(`failed to parse function arguments: ${jsonFault(input) ?? String(error)}`);
	}
	const namespace = tool.namespace?.name ?? null;
	const item: DynamicToolCallItem = {
		type: "dynamicToolCall",
		id: context.callId,
		namespace,
		tool: tool.name,
		arguments: args,
		status: "inProgress",
		contentItems: null,
		success: null,
		durationMs: null,
		startedAtMs: context.nowMs(),
		completedAtMs: null,
	};
	await context.items.started(item);
	await context.effects.intend({ itemId: item.id, kind: "call", detail: { namespace, tool: tool.name } });
	try {
		const answer = await context.askClient({
			itemId: item.id,
			kind: "tool_call",
			params: { callId: context.callId, namespace, tool: tool.name, arguments: args },
		});
		return await settle(item, answer, context);
	} catch (error) {
		if (!context.signal.aborted) throw error;
		// Told at once: the turn does not wait for what happens here.
		void finish(item, { contentItems: [], success: false }, context);
		return failure("dynamic tool call was cancelled before receiving a response");
	}
}

type Answer = z.infer<typeof answerSchema>;

async function finish(
	item: DynamicToolCallItem,
	{ contentItems, success }: Answer,
	context: ToolContext,
): Promise<void> {
	const nowMs = context.nowMs();
	const done = context.effects.done(item.id, { success });
	await context.items.completed({
		...item,
		status: success ? "completed" : "failed",
		contentItems,
		success,
		durationMs: nowMs - (item.startedAtMs ?? nowMs),
		completedAtMs: nowMs,
	});
	await done;
}

async function settle(
	item: DynamicToolCallItem,
	answer: ClientAnswer,
	context: ToolContext,
): Promise<ToolResult> {
	const parsed = answerSchema.safeParse(answer.type === "result" ? answer.result : null);
	const unusable =
		answer.type === "result" ? "dynamic tool response was invalid" : "dynamic tool request failed";
	const { contentItems, success } = parsed.success
		? parsed.data
		: { contentItems: [{ type: "inputText", text: unusable }], success: false };
	await finish(item, { contentItems, success }, context);
	const content = contentItems.map(toModelContent);
	const only = content.length === 1 ? content[0]?.["text"] : undefined;
	const output = content.map((part) => String(part["text"] ?? "")).join("\n");
	// A single text goes as it is; more than that as parts.
	return typeof only === "string"
		? { output, success, stopTurn: false }
		: { output, content, success, stopTurn: false };
}

function toModelContent(item: Readonly<Record<string, unknown>>): ModelItem {
	if (item["type"] === "inputImage") return { type: "input_image", image_url: item["imageUrl"] };
	return { type: "input_text", text: String(item["text"] ?? "") };
}
