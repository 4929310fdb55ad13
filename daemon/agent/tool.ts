import type { PlanStep, ToolItem } from "#protocol/codex-item.ts";
import type {
	ApprovalDecision,
	ApprovalPolicy,
	Question,
	SandboxMode,
	ThreadSettings,
} from "#protocol/record.ts";
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
	/** For commands: the prefix that could be allowed for good (Codex `proposedExecpolicyAmendment`). */
	proposedPrefix?: readonly string[] | null;
	/** Codex `commandActions` of the command, as its item has them. */
	actions?: readonly Readonly<Record<string, unknown>>[];
}

export interface ApprovalOutcome {
	/** `expired`: nobody may answer any more; treated like cancel. */
	decision: ApprovalDecision | "expired";
	/** With accept: allow this prefix from now on. */
	allowPrefix?: readonly string[] | null;
	/** With decline: nobody decided, the client that was asked could not answer. */
	failed?: boolean;
	resolvedBy: string | null;
}

/** Becomes a Question record; `params` in Codex's shape without threadId and turnId, which the runner adds. */
export interface ClientQuestion {
	itemId: string;
	kind: Question["kind"];
	params: Readonly<Record<string, unknown>>;
}
/** `result` in Codex's shape; `failed`: the client answered with an error, or nobody can answer any more. */
export type ClientAnswer = { type: "result"; result: unknown } | { type: "failed"; message: string };

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
		started(item: ToolItem): Promise<void>;
		output(itemId: string, delta: string): void;
		completed(item: ToolItem): Promise<void>;
		/** The git-style diff of the whole turn. */
		diff(diff: string): void;
		/** Input that the model wrote to a running command. */
		input?(itemId: string, processId: string, stdin: string): void;
		plan?(explanation: string | null, plan: readonly PlanStep[]): void;
		/** A Codex notification without an event of ours; threadId and turnId are added. */
		note?(method: string, params: Readonly<Record<string, unknown>>): void;
	};
	/** Commits the intent of an effect before it happens and its end after (architecture.md 4). */
	readonly effects: {
		intend(effect: {
			itemId: string;
			kind: "command" | "patch" | "call";
			detail: Readonly<Record<string, unknown>>;
		}): Promise<void>;
		started(itemId: string, process: { pid: number; startTime: string | null }): Promise<void>;
		done(itemId: string, outcome: Readonly<Record<string, unknown>>): Promise<void>;
	};
	/** Asks and waits; durable on both sides. Rejects only with the signal's reason. */
	requestApproval(request: ApprovalRequest): Promise<ApprovalOutcome>;
	/** Asks the clients and waits; rejects only with the signal's reason. Absent where nobody could answer. */
	askClient?(question: ClientQuestion): Promise<ClientAnswer>;
	/** The thread's settings as they were when the turn began. */
	readonly settings?: ThreadSettings;
	/** Something that goes on when the call has returned (a command left running); the turn takes its items until then. */
	outlive?(until: Promise<unknown>): void;
	/** ms since 1970. */
	nowMs(): number;
}

/** What goes back to the model; `stopTurn` ends the turn as interrupted without another model call (decision `cancel`). */
export interface ToolResult {
	output: string;
	/** Sent instead of `output` where the result is more than text: `input_text` and `input_image` parts. */
	content?: readonly ModelItem[];
	success: boolean;
	stopTurn: boolean;
	/** What a script of code mode gets for the call, JSON-able; absent: `output`, as an error where `success` is false. */
	value?: unknown;
	/** Further outputs of the same call, each its own history item after the first (code mode's `notify`). */
	extraOutputs?: readonly string[];
	/** Told to the model as a developer message behind the outputs of the response (a rule that was allowed for good). */
	developerNote?: string;
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
