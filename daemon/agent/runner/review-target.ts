import { z } from "zod";
import { AppError } from "#base/app-error.ts";

const text = z.string().trim().min(1);
const targetSchema = z.discriminatedUnion("type", [
	z.looseObject({ type: z.literal("uncommittedChanges") }),
	z.looseObject({ type: z.literal("baseBranch"), branch: text }),
	z.looseObject({ type: z.literal("commit"), sha: text, title: z.string().nullable().optional() }),
	z.looseObject({ type: z.literal("custom"), instructions: text }),
]);
type ReviewTarget = z.infer<typeof targetSchema>;

/** Characters of a commit's hash that people read. */
const SHORT_SHA = 7;
const ASK = "Report what should be changed, most important first, and only what its author would act on.";

/** How a review is named to people, in Codex's words. */
function hintOf(target: ReviewTarget): string {
	switch (target.type) {
		case "uncommittedChanges":
			return "current changes";
		case "baseBranch":
			return `changes against '${target.branch}'`;
		case "commit": {
			const sha = target.sha.slice(0, SHORT_SHA);
			return target.title ? `commit ${sha}: ${target.title}` : `commit ${sha}`;
		}
		case "custom":
			return target.instructions;
	}
}

/** What the reviewer is asked. The merge base is looked up by the reviewer, in the sandbox that everything of it runs in. */
function promptOf(target: ReviewTarget): string {
	switch (target.type) {
		case "uncommittedChanges":
			return `Review what is not committed yet in this folder: staged and unstaged changes, and new files. ${ASK}`;
		case "baseBranch": {
			const { branch } = target;
			const base = `Find where the branches part with \`git merge-base HEAD ${branch}\`, then look at the changes since with \`git diff\` against that commit.`;
			return `Review what this branch changes compared with the branch '${branch}'. ${base} ${ASK}`;
		}
		case "commit": {
			const title = target.title ? ` ("${target.title}")` : "";
			return `Review the changes that commit ${target.sha}${title} made. ${ASK}`;
		}
		case "custom":
			return target.instructions;
	}
}

/** Prompt and hint of a Codex ReviewTarget. @throws AppError INVALID_PARAMS. */
export function describeReview(target: Readonly<Record<string, unknown>>): { prompt: string; hint: string } {
	const parsed = targetSchema.safeParse(target);
	if (!parsed.success)
		throw new AppError(
			"INVALID_PARAMS",
			"A review looks at uncommittedChanges, a baseBranch {branch}, a commit {sha} or custom {instructions}.",
		);
	return { prompt: promptOf(parsed.data), hint: hintOf(parsed.data) };
}
