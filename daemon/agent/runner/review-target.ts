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
const ASK = "Provide prioritized, actionable findings.";

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

function againstBranch(branch: string, base: string | null): string {
	const against = `Review the code changes against the base branch '${branch}'.`;
	if (base !== null)
		return `${against} The merge base commit for this comparison is ${base}. Run \`git diff ${base}\` to inspect the changes relative to ${branch}. ${ASK}`;
	const upstream = `git merge-base HEAD "$(git rev-parse --abbrev-ref "${branch}@{upstream}")"`;
	return `${against} Start by finding the merge diff between the current branch and ${branch}'s upstream e.g. (\`${upstream}\`), then run \`git diff\` against that SHA to see what changes we would merge into the ${branch} branch. ${ASK}`;
}

/** What the reviewer is asked, in Codex's words: every client shows it as the review's first message. */
function promptOf(target: ReviewTarget, base: string | null): string {
	switch (target.type) {
		case "uncommittedChanges":
			return "Review the current code changes (staged, unstaged, and untracked files) and provide prioritized findings.";
		case "baseBranch":
			return againstBranch(target.branch, base);
		case "commit": {
			const title = target.title ? ` ("${target.title}")` : "";
			return `Review the code changes introduced by commit ${target.sha}${title}. ${ASK}`;
		}
		case "custom":
			return target.instructions;
	}
}

/**
 * Prompt and hint of a Codex ReviewTarget. `mergeBase` finds where a branch and HEAD part; null: the reviewer looks itself.
 * @throws AppError INVALID_PARAMS.
 */
export async function describeReview(
	target: Readonly<Record<string, unknown>>,
	mergeBase: (branch: string) => Promise<string | null>,
): Promise<{ prompt: string; hint: string }> {
	const parsed = targetSchema.safeParse(target);
	if (!parsed.success)
		throw new AppError(
			"INVALID_PARAMS",
			"A review looks at uncommittedChanges, a baseBranch {branch}, a commit {sha} or custom {instructions}.",
		);
	const { data } = parsed;
	const base = data.type === "baseBranch" ? await mergeBase(data.branch) : null;
	return { prompt: promptOf(data, base), hint: hintOf(data) };
}
