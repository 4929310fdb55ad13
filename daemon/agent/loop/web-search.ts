import type { ModelItem } from "#daemon/agent/model.ts";
import type { Item } from "#protocol/codex-item.ts";

type SearchItem = Extract<Item, { type: "webSearch" }>;

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

interface Shown {
	action: Record<string, unknown>;
	query: string;
}

function search(action: Record<string, unknown>): Shown {
	const listed: unknown = action["queries"];
	const queries = Array.isArray(listed) ? listed.filter((each) => typeof each === "string") : null;
	const query = text(action["query"]);
	const more = queries !== null && queries.length > 1 ? " ..." : "";
	return { action: { type: "search", query, queries }, query: query ?? `${queries?.[0] ?? ""}${more}` };
}

function findInPage(url: string | null, pattern: string | null): Shown {
	const place = url === null ? "" : ` in ${url}`;
	const query = pattern === null ? (url ?? "") : `'${pattern}'${place}`;
	return { action: { type: "findInPage", url, pattern }, query };
}

/** The API's action in Codex's shape, and what to show for it. */
function parseAction(value: unknown): Shown {
	const action = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
	const url = text(action["url"]);
	if (action["type"] === "search") return search(action);
	if (action["type"] === "open_page") return { action: { type: "openPage", url }, query: url ?? "" };
	if (action["type"] === "find_in_page") return findInPage(url, text(action["pattern"]));
	return { action: { type: "other" }, query: "" };
}

/** A search that the provider ran, as it began and as it ended. */
export function webSearchItems(
	item: ModelItem,
	newId: () => string,
): { started: SearchItem; completed: SearchItem } {
	const id = text(item["id"]) ?? newId();
	const { action, query } = parseAction(item["action"]);
	const about = { type: "webSearch" as const, id, results: null };
	return {
		started: { ...about, query: "", action: { type: "other" } },
		completed: { ...about, query, action },
	};
}
