import type { ModelDescription } from "#daemon/agent/model.ts";
import type { ApprovalPolicy, SandboxMode, ThreadSettings, TurnKind } from "#protocol/record.ts";

/** Which family of prompts; another profile is another list of sections. */
export type PromptProfile = "codex";
/** `minimal` is for short-lived helpers of an agent: the same rules in fewer words. */
export type PromptMode = "full" | "minimal";

/** What sections may draw on; the same input renders to the same bytes. */
export interface PromptInput {
	readonly mode: PromptMode;
	readonly kind: TurnKind;
	readonly cwd: string;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	/** What the thread says beside that; null where it says nothing. */
	readonly settings: ThreadSettings | null;
	/** Null where nothing is known of it. */
	readonly model: ModelDescription | null;
	/** Of the person, from config.toml; null when there are none. */
	readonly developerInstructions: string | null;
	/** The AGENTS.md block and the list of skills, as they were when the thread came to this folder; null: none. */
	readonly projectDocs: string | null;
	readonly skills: string | null;
	readonly shell: string;
	/** YYYY-MM-DD in `timeZone`. */
	readonly date: string;
	/** IANA name. */
	readonly timeZone: string;
}

/** One piece of the prompt. Sections that follow each other with the same `message` become parts of one message. */
export interface PromptSection {
	readonly name: string;
	readonly role: "developer" | "user";
	readonly message: string;
	/** Null: nothing to say here. */
	render(input: PromptInput): string | null;
}

/** Tokens of a text by the usual rule of thumb, four bytes each; for accounting, not for limits. */
export function estimateTokens(text: string): number {
	return Math.ceil(Buffer.byteLength(text) / 4);
}
