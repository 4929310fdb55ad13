import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import type { Trace } from "./trace.ts";

export type Decision = "accept" | "acceptForSession" | "decline" | "cancel";

export interface ThreadSettings {
	readonly cwd: string;
	readonly policy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	/** Given to the approvals as they come; one beyond them waits for ever. */
	readonly decisions: readonly Decision[];
	readonly trace: Trace;
}

/** A thread of one side. */
export interface Conversation extends Disposable {
	/** Starts a turn. */
	send(text: string): Promise<void>;
	/** Into the running turn. */
	steer(text: string): Promise<void>;
	interrupt(): Promise<void>;
}

/** One of the two programs that are compared; it reads its config.toml anew for each thread. */
export interface Side extends AsyncDisposable {
	readonly codexHome: string;
	open(settings: ThreadSettings): Promise<Conversation>;
}

/** Model that takes plain tools, which both sides offer. */
export const MODEL = "gpt-5.5";
