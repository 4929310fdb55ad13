import type { PromptInput } from "./section.ts";

const escapeXml = (text: string): string =>
	text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Where and when the agent works; XML-like, so that it is told from what a person writes. */
export function environmentContextText(input: PromptInput): string {
	const lines = [
		`<cwd>${escapeXml(input.cwd)}</cwd>`,
		`<shell>${escapeXml(input.shell)}</shell>`,
		`<current_date>${input.date}</current_date>`,
		`<timezone>${escapeXml(input.timeZone)}</timezone>`,
		"<filesystem>",
		`  <workspace_roots><root>${escapeXml(input.cwd)}</root></workspace_roots>`,
		`  <permission_profile>${input.sandbox}</permission_profile>`,
		"</filesystem>",
	];
	return `<environment_context>\n${lines.map((line) => `  ${line}`).join("\n")}\n</environment_context>`;
}
