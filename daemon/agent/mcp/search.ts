import { z } from "zod";
import type { ModelItem } from "#daemon/agent/model.ts";
import { defineTool, type Tool } from "#daemon/agent/tool.ts";
import { innerSpecs, joinNamespaces } from "#daemon/agent/tool-specs.ts";

/** What is found of a deferred tool by its words. */
interface Entry {
	readonly spec: ModelItem;
	readonly words: readonly string[];
}

const DEFAULT_LIMIT = 8;
/** The usual constants of BM25. */
const K1 = 1.2;
const B = 0.75;

const searchArguments = z.looseObject({ query: z.string(), limit: z.number().int().positive().optional() });

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

function textOf(spec: ModelItem): string {
	const parameters = innerSpecs(spec).map((inner) =>
		Object.keys(Object((inner["parameters"] as { properties?: unknown })?.properties)),
	);
	const own = innerSpecs(spec).map(
		(inner) => `${String(inner["name"])} ${String(inner["description"] ?? "")}`,
	);
	return [String(spec["name"]), ...own, ...parameters.flat()].join(" ");
}

function rank(entries: readonly Entry[], query: string, limit: number): Entry[] {
	const average = entries.reduce((sum, entry) => sum + entry.words.length, 0) / Math.max(1, entries.length);
	const terms = [...new Set(wordsOf(query))];
	const weights = terms.map((term) => {
		const having = entries.filter((entry) => entry.words.includes(term)).length;
		return Math.log(1 + (entries.length - having + 0.5) / (having + 0.5));
	});
	const scored = entries.map((entry) => {
		const score = terms.reduce((sum, term, index) => {
			const count = entry.words.filter((word) => word === term).length;
			const length = 1 - B + (B * entry.words.length) / Math.max(1, average);
			return sum + ((weights[index] ?? 0) * count * (K1 + 1)) / (count + K1 * length);
		}, 0);
		return { entry, score };
	});
	return scored
		.filter(({ score }) => score > 0)
		.toSorted((one, other) => other.score - one.score)
		.slice(0, limit)
		.map(({ entry }) => entry);
}

/** Finds tools whose specs are not sent with requests; `content` of its result is their specs. */
export function createToolSearch(deferred: readonly Tool[]): Tool {
	const entries = deferred.map(({ spec }) => ({ spec, words: wordsOf(textOf(spec)) }));
	return defineTool({
		name: "tool_search",
		spec: {
			type: "tool_search",
			execution: "client",
			description:
				"Finds tools that were not listed to you: searches their names, descriptions and parameters by words, and makes what it finds available for the next step. Look here first for tools of MCP servers.",
			parameters: {
				type: "object",
				properties: {
					limit: { type: "number", description: `Most tools to give; ${DEFAULT_LIMIT} by default.` },
					query: { type: "string", description: "Words that describe the tool." },
				},
				required: ["query"],
				additionalProperties: false,
			},
		},
		execute(input) {
			const value: unknown = JSON.parse(input);
			const parsed = searchArguments.safeParse(value);
			if (!parsed.success)
				return Promise.resolve({
					output: "failed to parse function arguments: missing field `query`",
					success: false,
					stopTurn: false,
				});
			const { query, limit = DEFAULT_LIMIT } = parsed.data;
			const content = joinNamespaces(rank(entries, query, limit).map(({ spec }) => spec));
			return Promise.resolve({ output: JSON.stringify(content), content, success: true, stopTurn: false });
		},
	});
}
