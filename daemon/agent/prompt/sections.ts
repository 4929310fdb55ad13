import { baseText } from "./base-instructions.ts";
import { collaborationText } from "./collaboration.ts";
import { environmentContextText } from "./environment-context.ts";
import { permissionsText } from "./permissions.ts";
import { REVIEW_INSTRUCTIONS } from "./review-instructions.ts";
import type { PromptInput, PromptProfile, PromptSection } from "./section.ts";

const isReview = (input: PromptInput): boolean => input.kind === "review";

/**
 * In Codex's order: what never changes comes first, so that a provider's cache of the prefix serves longest. The first is
 * always there: the loop knows the base instructions by their place.
 */
const CODEX_SECTIONS: readonly PromptSection[] = [
	{
		name: "base_instructions",
		role: "developer",
		message: "base",
		render: (input) => (isReview(input) ? REVIEW_INSTRUCTIONS : baseText(input)),
	},
	{
		name: "developer_instructions",
		role: "developer",
		message: "rules",
		render: (input) => input.settings?.developer_instructions ?? input.developerInstructions,
	},
	{ name: "skills", role: "developer", message: "rules", render: (input) => input.skills },
	{
		name: "permissions",
		role: "developer",
		message: "rules",
		render: (input) => permissionsText(input),
	},
	{
		name: "collaboration_mode",
		role: "developer",
		message: "rules",
		render: (input) => (isReview(input) ? null : collaborationText(input.settings)),
	},
	{ name: "project_docs", role: "user", message: "context", render: (input) => input.projectDocs },
	{ name: "environment_context", role: "user", message: "context", render: environmentContextText },
];

export const PROMPT_PROFILES: Readonly<Record<PromptProfile, readonly PromptSection[]>> = {
	codex: CODEX_SECTIONS,
};
