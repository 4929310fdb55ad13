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

const isDeferred = (spec: ModelItem): boolean =>
	innerSpecs(spec).every((inner) => inner["defer_loading"] === true);

/** What a request tells the model of its tools: one spec per namespace, nothing that `tool_search` finds. */
export function requestSpecs(tools: readonly Tool[]): ModelItem[] {
	return joinNamespaces(tools.map((tool) => tool.spec).filter((spec) => !isDeferred(spec)));
}
