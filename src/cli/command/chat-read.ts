import type { Item } from "#protocol/codex-item.ts";
import type { Turn } from "#protocol/record.ts";
import { defineCommand } from "../descriptor.ts";
import { parseWhole, textOption } from "./option-value.ts";

/** Steps that a terminal tells in one line. */
function describeOther(item: Item): string {
	switch (item.type) {
		case "plan":
			return `Plan:\n${item.text}`;
		case "mcpToolCall":
			return `${item.server}.${item.tool}  [${item.status}]`;
		case "dynamicToolCall":
			return `${item.tool}  [${item.status}]`;
		case "imageView":
			return `looked at ${item.path}`;
		case "webSearch":
			return `searched the web: ${item.query}`;
		case "enteredReviewMode":
			return `reviewing ${item.review}`;
		case "exitedReviewMode":
			return item.review;
		case "contextCompaction":
			return "(history compacted)";
		default:
			return "";
	}
}

function describeItem(item: Item): string {
	switch (item.type) {
		case "userMessage":
			return `> ${item.content.map((part) => part.text ?? `[${part.type}]`).join("\n> ")}`;
		case "agentMessage":
			return item.text;
		case "reasoning":
			return item.summary.map((part) => `(${part})`).join("\n");
		case "commandExecution": {
			const exit = item.exitCode === null ? item.status : `exit ${item.exitCode}`;
			return `$ ${item.command}  [${exit}]\n${item.aggregatedOutput ?? ""}`.trimEnd();
		}
		case "fileChange":
			return item.changes.map((change) => `${change.kind.type} ${change.path}  [${item.status}]`).join("\n");
		default:
			return describeOther(item);
	}
}

function describeTurn(turn: Turn): string {
	const end =
		turn.status === "completed" ? "" : `\n-- ${turn.status}${turn.reason === null ? "" : `: ${turn.reason}`}`;
	return (
		turn.items
			.map(describeItem)
			.filter((text) => text !== "")
			.join("\n\n") + end
	);
}

export const chatReadCommand = defineCommand({
	program: "weave-codex",
	name: "chat read",
	summary: "Print a thread's turns, oldest first.",
	arguments: [{ name: "thread", summary: "id or agent name", required: true, complete: "thread" }],
	options: [
		{ flags: "--limit <n>", summary: "the newest turns only", default: "100" },
		{ flags: "--before <turn>", summary: "turns before this one" },
	],
	examples: [
		{ command: "weave-codex chat read amber", says: "the thread of agent amber" },
		{ command: "weave-codex chat read amber --limit 1 --json", says: "its last turn, whole" },
	],
	json: true,
	async run(context, { args: [ref = ""], options }) {
		const { describeApproval, resolveThread } = await import("./chat-input.ts");
		const limit = parseWhole(options["limit"], "--limit", { max: 1000 });
		const client = await context.connect();
		const before = textOption(options, "before");
		const result = await client.call("chat.thread.read", {
			thread_id: await resolveThread(client, ref),
			limit,
			...(before === undefined ? {} : { before_turn_id: before }),
		});
		const parts = [...result.turns.map(describeTurn), ...result.approvals.map(describeApproval)];
		context.print(result, parts.length === 0 ? "No turns yet." : parts.join("\n\n"));
		return 0;
	},
});
