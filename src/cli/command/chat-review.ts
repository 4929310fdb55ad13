import { AppError } from "#base/app-error.ts";
import { defineCommand } from "../descriptor.ts";
import { type Options, textOption } from "./option-value.ts";

/** What to look at; of several ways to say it only one may be used. */
function targetOf(words: readonly string[], options: Options): { type: string; [member: string]: unknown } {
	const branch = textOption(options, "base");
	const sha = textOption(options, "commit");
	const instructions = words.join(" ").trim();
	const targets = [
		...(branch === undefined ? [] : [{ type: "baseBranch", branch }]),
		...(sha === undefined ? [] : [{ type: "commit", sha, title: null }]),
		...(instructions === "" ? [] : [{ type: "custom", instructions }]),
	];
	if (targets.length > 1) throw new AppError("USAGE", "Give --base, --commit or instructions, not several.");
	return targets[0] ?? { type: "uncommittedChanges" };
}

export const chatReviewCommand = defineCommand({
	program: "weave-codex",
	name: "chat review",
	summary: "Let a thread review changes; by default those that are not committed.",
	description: "Returns once the review has started; `chat read` shows its findings.",
	arguments: [
		{ name: "thread", summary: "id or agent name", required: true, complete: "thread" },
		{ name: "instructions", summary: "what to look at, in words", required: false, variadic: true },
	],
	options: [
		{ flags: "--base <branch>", summary: "what changed since the branch was left" },
		{ flags: "--commit <sha>", summary: "what a commit changed" },
	],
	examples: [
		{ command: "weave-codex chat review amber", says: "before a commit" },
		{ command: "weave-codex chat review amber --base main", says: "before a merge" },
	],
	json: true,
	async run(context, { args: [ref = "", ...words], options }) {
		const target = targetOf(words, options);
		const { resolveThread } = await import("./chat-input.ts");
		const client = await context.connect();
		const thread_id = await resolveThread(client, ref);
		const result = await client.call("chat.review", { thread_id, target });
		context.print(result, `Reviewing ${result.hint} in turn ${result.turn_id}.`);
		return 0;
	},
});
