import { createHash } from "node:crypto";
import { z } from "zod";
import type { ModelItem } from "#daemon/agent/model.ts";

/** A tool as wires without custom tools and namespaces take it. */
export interface WireTool {
	/** Letters, digits, `_` and `-`, at most 64. */
	readonly wireName: string;
	readonly name: string;
	readonly namespace: string | null;
	readonly description: string;
	/** JSON Schema of type object. */
	readonly parameters: Readonly<Record<string, unknown>>;
	/** Its input is a text, wrapped as {"input": text} on the wire. */
	readonly custom: boolean;
}

const MAX_NAME = 64;

/** Name of a tool on the wire; the same for the same tool in every request. */
export function wireName(name: string, namespace: string | null = null): string {
	const full = namespace === null ? name : `${namespace}__${name}`;
	const clean = full.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
	if (clean === full && clean.length <= MAX_NAME && clean !== "") return clean;
	const digest = createHash("sha256").update(full).digest("hex").slice(0, 8);
	return `${clean.slice(0, MAX_NAME - 9)}_${digest}`;
}

const specSchema = z.looseObject({
	type: z.string(),
	name: z.string().optional(),
	description: z.string().nullish(),
	parameters: z.record(z.string(), z.unknown()).nullish().catch(null),
	format: z.looseObject({ definition: z.string().optional() }).nullish().catch(null),
	tools: z.array(z.looseObject({ type: z.string() })).optional(),
});

const TEXT_INPUT = {
	type: "object",
	properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
	required: ["input"],
	additionalProperties: false,
};

function oneTool(spec: z.infer<typeof specSchema>, namespace: string | null): WireTool[] {
	const { name } = spec;
	if (name === undefined) return [];
	const custom = spec.type === "custom";
	if (!custom && spec.type !== "function") return [];
	const grammar = spec.format?.definition;
	const description = spec.description ?? "";
	return [
		{
			wireName: wireName(name, namespace),
			name,
			namespace,
			description:
				grammar === undefined ? description : `${description}\n\nGrammar of the input:\n${grammar}`,
			parameters: custom ? TEXT_INPUT : { properties: {}, ...spec.parameters, type: "object" },
			custom,
		},
	];
}

/** Tools of a request, in order; those that only the Responses API knows (web search and the like) are left out. */
export function wireTools(specs: readonly ModelItem[], denied: readonly string[] = []): WireTool[] {
	const tools = specs.flatMap((raw) => {
		const spec = specSchema.safeParse(raw);
		if (!spec.success) return [];
		if (spec.data.type !== "namespace") return oneTool(spec.data, null);
		const { name: namespace, tools: inner = [] } = spec.data;
		return inner.flatMap((each) => {
			const parsed = specSchema.safeParse(each);
			return parsed.success ? oneTool(parsed.data, namespace ?? null) : [];
		});
	});
	return tools.filter((tool) => !denied.includes(tool.name));
}

function textInput(argumentsText: string): string {
	try {
		const parsed = z.looseObject({ input: z.string() }).safeParse(JSON.parse(argumentsText));
		return parsed.success ? parsed.data.input : argumentsText;
	} catch {
		return argumentsText;
	}
}

/** A call on the wire as an item of the history, under the tool's own name. */
export function callItem(
	tools: readonly WireTool[],
	call: { wireName: string; id: string; callId: string; argumentsText: string },
): ModelItem {
	const tool = tools.find((candidate) => candidate.wireName === call.wireName);
	const name = tool?.name ?? call.wireName;
	const head = { id: call.id, call_id: call.callId, name };
	const place = tool?.namespace == null ? {} : { namespace: tool.namespace };
	if (tool?.custom === true)
		return { type: "custom_tool_call", ...head, ...place, input: textInput(call.argumentsText) };
	return { type: "function_call", ...head, ...place, arguments: call.argumentsText };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A call of the history as it was on the wire; null when the item is none. */
export function callOnWire(
	item: ModelItem,
): { wireName: string; callId: string; argumentsText: string } | null {
	const custom = item.type === "custom_tool_call";
	if (!custom && item.type !== "function_call") return null;
	const namespace = typeof item["namespace"] === "string" ? item["namespace"] : null;
	return {
		wireName: wireName(text(item["name"]), namespace),
		callId: text(item["call_id"]),
		argumentsText: custom ? JSON.stringify({ input: text(item["input"]) }) : text(item["arguments"]),
	};
}

/** Arguments as an object; what is none counts as empty, since the wires take objects only. */
export function argumentsObject(argumentsText: string): Record<string, unknown> {
	try {
		const parsed = z.record(z.string(), z.unknown()).safeParse(JSON.parse(argumentsText));
		return parsed.success ? parsed.data : {};
	} catch {
		return {};
	}
}
