import { defineTool, type Tool } from "../tool.ts";
import { failure } from "./result.ts";

/** Searching the web, which the provider does itself: it is offered, and its calls never come here. */
export function createWebSearch(): Tool {
	return defineTool({
		name: "web_search",
		spec: { type: "web_search", external_web_access: true, search_content_types: ["text", "image"] },
		execute: () => Promise.resolve(failure("unsupported call: web_search")),
	});
}
