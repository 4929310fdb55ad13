import { baseInstructions } from "./base-instructions.ts";
import { environmentContextText } from "./environment-context.ts";
import { permissionsText } from "./permissions.ts";
import { projectDocsText } from "./project-docs.ts";
import type { PromptProfile, PromptSection } from "./section.ts";

/** In Codex's order: what never changes comes first, so that a provider's cache of the prefix serves longest. */
const CODEX_SECTIONS: readonly PromptSection[] = [
	{
		name: "base_instructions",
		role: "developer",
		message: "base",
		render: (input) => baseInstructions(input.mode),
	},
	{
		name: "developer_instructions",
		role: "developer",
		message: "rules",
		render: (input) => input.developerInstructions,
	},
	{
		name: "permissions",
		role: "developer",
		message: "rules",
		render: (input) => permissionsText(input.approvalPolicy, input.sandbox),
	},
	{
		name: "project_docs",
		role: "user",
		message: "context",
		render: ({ cwd, codexHome, projectDocMaxBytes: maxBytes, files }) =>
			projectDocsText({ cwd, codexHome, maxBytes, files }),
	},
	{ name: "environment_context", role: "user", message: "context", render: environmentContextText },
];

export const PROMPT_PROFILES: Readonly<Record<PromptProfile, readonly PromptSection[]>> = {
	codex: CODEX_SECTIONS,
};
