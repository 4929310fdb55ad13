import type { ModelItem } from "./model.ts";
import type { Tool } from "./tool.ts";

/** The specs inside a namespace, or the spec itself. */
export function innerSpecs(spec: ModelItem): readonly ModelItem[] {
	return spec.type === "namespace" && Array.isArray(spec["tools"]) ? (spec["tools"] as ModelItem[]) : [spec];
}

/** Specs of one namespace become one, where the first of them stood. */
export function joinNamespaces(specs: readonly ModelItem[]): ModelItem[] {
	const joined: ModelItem[] = [];
	const places = new Map<unknown, number>();
	for (const spec of specs) {
		const place = spec.type === "namespace" ? places.get(spec["name"]) : undefined;
		const before = place === undefined ? undefined : joined[place];
		if (place === undefined || before === undefined) {
			if (spec.type === "namespace") places.set(spec["name"], joined.length);
			joined.push(spec);
		} else joined[place] = { ...before, tools: [...innerSpecs(before), ...innerSpecs(spec)] };
	}
	return joined;
}

const FUNCTION_KINDS: ReadonlySet<string> = new Set(["function", "custom"]);

/** Tools as models take them that read them in the input: all in namespaces, and none that the provider runs itself. */
export function functionNamespace(specs: readonly ModelItem[]): ModelItem[] {
	const tools = specs.filter(({ type }) => FUNCTION_KINDS.has(type));
	const functions = { type: "namespace", name: "functions", description: "", tools };
	return [functions, ...specs.filter(({ type }) => type === "namespace")];
}

/** Namespaces whose tools only `tool_search` shows, with what they say of themselves. */
export function deferredNamespaces(
	tools: readonly Tool[],
): readonly { readonly name: string; readonly description: string }[] {
	const specs = tools
		.map((tool) => tool.spec)
		.filter((spec) => spec.type === "namespace" && isDeferred(spec));
	return joinNamespaces(specs)
		.map(({ name, description }) => ({ name: String(name), description: String(description ?? "") }))
		.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

const isDeferred = (spec: ModelItem): boolean =>
	innerSpecs(spec).every((inner) => inner["defer_loading"] === true);

/** What a request tells the model of its tools: one spec per namespace, nothing that `tool_search` finds. */
export function requestSpecs(tools: readonly Tool[]): ModelItem[] {
	return joinNamespaces(tools.map((tool) => tool.spec).filter((spec) => !isDeferred(spec)));
}
