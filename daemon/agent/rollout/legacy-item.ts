import { pathOf } from "./item-in.ts";
import { type Json, listOf, objectOf, textOf, textsOf } from "./line.ts";

/**
 * Events of files that know no `item_completed` (history mode "legacy", and all files of earlier versions), as records of
 * the newer kind. Null: an event that shows nothing.
 */
export function legacyItem(event: Json): Json | null {
	const id = event["item_id"] ?? event["call_id"];
	switch (textOf(event, "type")) {
		case "user_message":
			return { type: "UserMessage", id, client_id: event["client_id"], content: userContent(event) };
		case "agent_message": {
			const content = [{ type: "Text", text: textOf(event, "message") }];
			return { type: "AgentMessage", id, content, phase: event["phase"] };
		}
		case "agent_reasoning":
			return { type: "Reasoning", id, summary_text: [textOf(event, "text")], raw_content: [] };
		case "agent_reasoning_raw_content":
			return { type: "Reasoning", id, summary_text: [], raw_content: [textOf(event, "text")] };
		case "context_compacted":
			return { type: "ContextCompaction", id };
		case "web_search_end":
			return { type: "WebSearch", id, query: textOf(event, "query"), action: event["action"] ?? null };
		case "view_image_tool_call":
			return { type: "ImageView", id, path: pathOf(textOf(event, "path")) };
		case "mcp_tool_call_end":
			return mcpCall(event, id);
		case "entered_review_mode":
			return { type: "EnteredReviewMode", id, user_facing_hint: textOf(event, "user_facing_hint") };
		case "exited_review_mode":
			return { type: "ExitedReviewMode", id, review_output: event["review_output"] };
		case "exec_command_end":
			return { ...event, type: "CommandExecution", id };
		case "patch_apply_end":
			return { ...event, type: "FileChange", id };
		default:
			return null;
	}
}

function userContent(event: Json): Json[] {
	const texts = textOf(event, "message");
	const text = { type: "text", text: texts, text_elements: listOf(event, "text_elements") };
	return [
		...(texts === "" ? [] : [text]),
		...textsOf(event, "images").map((url) => ({ type: "image", image_url: url })),
		...textsOf(event, "local_images").map((path) => ({ type: "local_image", path })),
	];
}

/** The result is `{Ok: ...}` or `{Err: text}`. */
function mcpCall(event: Json, id: unknown): Json {
	const { server, tool, arguments: given } = objectOf(event, "invocation");
	const result = objectOf(event, "result");
	const failed = typeof result["Err"] === "string" ? { message: result["Err"] } : null;
	const ok = objectOf(result, "Ok");
	return {
		...{ type: "McpToolCall", id, server, tool, arguments: given ?? null, duration: event["duration"] },
		status: failed !== null || ok["isError"] === true || ok["is_error"] === true ? "failed" : "completed",
		result: failed === null ? ok : null,
		error: failed,
	};
}
