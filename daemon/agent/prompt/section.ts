import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import type { DocumentFiles } from "./project-docs.ts";

/** Which family of prompts; another profile is another list of sections. */
export type PromptProfile = "codex";
/** `minimal` is for short-lived helpers of an agent: the same rules in fewer words. */
export type PromptMode = "full" | "minimal";

/** What sections may draw on; the same input renders to the same bytes. */
export interface PromptInput {
	readonly mode: PromptMode;
	readonly cwd: string;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	readonly codexHome: string;
	/** Of the person, from config.toml; null when there are none. */
	readonly developerInstructions: string | null;
	/** Bytes of project documents that are taken; 32 KiB in Codex. */
	readonly projectDocMaxBytes: number;
	readonly shell: string;
	/** YYYY-MM-DD in `timeZone`. */
	readonly date: string;
	/** IANA name. */
	readonly timeZone: string;
	readonly files: DocumentFiles;
}

/** One piece of the prompt. Sections that follow each other with the same `message` become parts of one message. */
export interface PromptSection {
	readonly name: string;
	readonly role: "developer" | "user";
	readonly message: string;
	/** Null: nothing to say here. */
	render(input: PromptInput): Promise<string | null> | string | null;
}

/** Tokens of a text by the usual rule of thumb, four bytes each; for accounting, not for limits. */
export function estimateTokens(text: string): number {
	return Math.ceil(Buffer.byteLength(text) / 4);
}
