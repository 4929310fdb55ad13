import type { ThreadSettings, TurnKind } from "#protocol/record.ts";
import type { ModelDescription } from "./model.ts";
import type { Tool } from "./tool.ts";

/** What decides which tools a turn offers. */
export interface ToolSetRequest {
	readonly threadId: string;
	/** The thread's folder, absolute. */
	readonly cwd: string;
	readonly kind: TurnKind;
	readonly model: ModelDescription;
	readonly settings: ThreadSettings;
	/** Codex collaboration mode. */
	readonly mode: "default" | "plan";
}

/**
 * The tools of one turn, in the order in which the model is told of them. Same request, same tools in the same order, so
 * that requests keep their prefix; never rejects for a part that cannot start (an MCP server): that part is left out and told.
 */
export type ToolSource = (request: ToolSetRequest) => Promise<readonly Tool[]>;

/** Joins parts in order; of two tools with one name the first counts. */
export function joinToolSources(sources: readonly ToolSource[]): ToolSource {
	return async (request) => {
		const parts = await Promise.all(sources.map((source) => source(request)));
		const byName = new Map<string, Tool>();
		for (const tool of parts.flat()) if (!byName.has(tool.name)) byName.set(tool.name, tool);
		return [...byName.values()];
	};
}
