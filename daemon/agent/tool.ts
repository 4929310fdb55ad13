import type { CommandExecutionItem, FileChangeItem } from "#protocol/codex-item.ts";
import type { ApprovalDecision, ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import type { Environment } from "./environment.ts";
import type { ModelItem } from "./model.ts";

/** What is asked of a person; becomes an Approval record. Immutable once asked. */
export interface ApprovalRequest {
	itemId: string;
	kind: "command" | "patch";
	command: string | null;
	argv: readonly string[] | null;
	cwd: string;
	changes: readonly { path: string; diff: string }[] | null;
	reason: string | null;
	sandbox: SandboxMode;
	destructive: string | null;
	confirmWord: string | null;
	digest: string;
}

export interface ApprovalOutcome {
	/** `expired`: nobody may answer any more; treated like cancel. */
	decision: ApprovalDecision | "expired";
	resolvedBy: string | null;
}

/** Ids of what a turn's tools need from the world, handed in by the runner. */
export interface ToolContext {
	readonly threadId: string;
	readonly turnId: string;
	readonly callId: string;
	readonly cwd: string;
	readonly env: Readonly<Record<string, string>>;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	readonly environment: Environment;
	/** Aborted when the turn is interrupted. */
	readonly signal: AbortSignal;
	/** Commands the person accepted for the session, by digest of argv and cwd. */
	readonly sessionGrants: Set<string>;
	/** Files changed by this turn's patches, for the turn's diff: path → text before the turn (undefined: was not there). */
	readonly turnBaseline: Map<string, string | undefined>;
	/** Item events; `started` and `completed` carry the whole item. `completed` resolves when it is durable. */
	readonly items: {
		started(item: CommandExecutionItem | FileChangeItem): Promise<void>;
		output(itemId: string, delta: string): void;
		completed(item: CommandExecutionItem | FileChangeItem): Promise<void>;
		/** The git-style diff of the whole turn. */
		diff(diff: string): void;
	};
	/** Commits the intent of an effect before it happens and its end after (architecture.md 4). */
	readonly effects: {
		intend(effect: {
			itemId: string;
			kind: "command" | "patch";
			detail: Readonly<Record<string, unknown>>;
		}): Promise<void>;
		started(itemId: string, process: { pid: number; startTime: string | null }): Promise<void>;
		done(itemId: string, outcome: Readonly<Record<string, unknown>>): Promise<void>;
	};
	/** Asks and waits; durable on both sides. Rejects only with the signal's reason. */
	requestApproval(request: ApprovalRequest): Promise<ApprovalOutcome>;
	/** ms since 1970. */
	nowMs(): number;
}

/** What goes back to the model; `stopTurn` ends the turn as interrupted without another model call (decision `cancel`). */
export interface ToolResult {
	output: string;
	success: boolean;
	stopTurn: boolean;
}

/** One tool of the agent. `execute` never throws for expected failures: their text is the output. */
export interface Tool {
	readonly name: string;
	/** As offered to the model: a Responses API tool (function or custom). */
	readonly spec: ModelItem;
	/** `input` is the raw arguments text of a function call, or the input text of a custom call. */
	execute(input: string, context: ToolContext): Promise<ToolResult>;
}

export function defineTool(tool: Tool): Tool {
	return tool;
}
