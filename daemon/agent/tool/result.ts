import type { ToolContext, ToolResult } from "../tool.ts";

/** A result that the model reads as a failure; the turn goes on. */
export function failure(output: string): ToolResult {
	return { output, success: false, stopTurn: false };
}

/** What a call answers when its turn was interrupted; the loop has its own words for the model then. */
export function interrupted(): ToolResult {
	return { output: "aborted by user", success: false, stopTurn: true };
}

/** The answer of a person, undefined when the turn was interrupted while it was awaited. */
export async function awaitApproval(
	context: ToolContext,
	request: Parameters<ToolContext["requestApproval"]>[0],
): Promise<Awaited<ReturnType<ToolContext["requestApproval"]>> | undefined> {
	try {
		return await context.requestApproval(Object.freeze(request));
	} catch (error) {
		if (context.signal.aborted) return undefined;
		throw error;
	}
}

/** What the model reads where nobody decided: the client that was asked could not answer. */
export const APPROVAL_FAILED = "approval request failed";

/** How the reference server tells its model about a command that was turned down or could not start. */
export function rejectedCommand(reason: string): string {
	return `exec_command failed: CreateProcess { message: ${debugText(`Rejected(${debugText(reason)})`)} }`;
}

/** A text in quotes, as that server prints values. */
function debugText(text: string): string {
	const escaped = text
		.replaceAll(/[\\"]/g, "\\$&")
		.replaceAll("\n", "\\n")
		.replaceAll("\r", "\\r")
		.replaceAll("\t", "\\t");
	return `"${escaped}"`;
}
