import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import type { HookRunner, RunTurn } from "#daemon/agent/loop-port.ts";
import type { ModelDescription, ModelItem, ModelProvider } from "#daemon/agent/model.ts";
import type { RunRecorder } from "#daemon/agent/recorder/port.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import type { ToolSource } from "#daemon/agent/tool-source.ts";
import type { Publish } from "#daemon/gateway/hub.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { FaultPoint, Logger, Telemetry } from "#daemon/telemetry/port.ts";
import type { ApprovalPolicy, SandboxMode, ThreadSettings, TurnKind } from "#protocol/record.ts";

/** Finds the way to a model; null means the default. */
export interface ProviderSource {
	/** `overrides`: the thread's `settings.config`. @throws AppError CONFIG_INVALID. */
	resolve(
		provider: string | null,
		model: string | null,
		overrides?: Readonly<Record<string, unknown>>,
	): ModelProvider | Promise<ModelProvider>;
	/** What null resolves to now, and what the person's own configuration says of new threads. @throws AppError CONFIG_INVALID. */
	defaults(): {
		provider: string;
		model: string | null;
		approvalPolicy: ApprovalPolicy | null;
		sandbox: SandboxMode | null;
		/** Codex `SandboxPolicy` that workspace-write means; null or absent: the plain one. */
		workspaceWrite?: ThreadSettings["sandbox_policy"] | null;
	};
}

export interface PreludeInput {
	readonly threadId: string;
	readonly cwd: string;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	readonly settings?: ThreadSettings;
	readonly model?: ModelDescription;
	readonly kind?: TurnKind;
}

/** What config.toml says to the loop. */
export interface LoopSettings {
	/** show_raw_agent_reasoning. */
	readonly showRawReasoning?: boolean;
	/** compact_prompt. */
	readonly compactPrompt?: string | null;
}

/** Commands beside the tools: a person's own, and those that still run. */
export interface AgentCommands {
	/** Its item is `context.callId`; `message` is what the model reads of it later. */
	runUserCommand(command: string, context: ToolContext): Promise<{ message: string }>;
	/** By process or item id; false when the thread has no such command running. */
	terminate(id: string, threadId: string): boolean;
	/** Ends what a turn started and what still runs of it; how many that were. */
	killTurn(turnId: string): number;
}

/** Everything the runner sees of the world. */
export interface RunnerDeps {
	readonly store: Store;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly random: () => number;
	readonly publish: Publish;
	readonly environment: Environment;
	readonly tools: ToolSource;
	readonly providers: ProviderSource;
	readonly hooks: HookRunner;
	readonly runTurn: RunTurn;
	/** Whether `runTurn` uses our tools and prompt for such a thread; it may leave it to another program. Absent: always. */
	readonly isEmbedded?: (settings: ThreadSettings) => boolean;
	/** Prompt sections ahead of the history. */
	readonly prelude: (input: PreludeInput) => Promise<readonly ModelItem[]>;
	/** Absent: nothing but the defaults. The thread's own `settings.config` comes on top. */
	readonly loopSettings?: () => LoopSettings;
	/** Turns that run at once in the whole daemon; the others wait in order. Default 64. */
	readonly maxRunningTurns?: number;
	/** An approval that nobody answers expires after this long, and counts as a cancel. Absent: never. */
	readonly approvalExpiryMs?: number;
	/** Absent: a person runs no commands of their own here, and none of the tools' is ended from outside. */
	readonly commands?: AgentCommands;
	/** The commit that HEAD of the folder's repository means; null when there is none. */
	readonly gitHead: (cwd: string) => Promise<string | null>;
	/** The commit where HEAD and a branch part; null when there is none. Absent: a reviewer finds it itself. */
	readonly mergeBase?: (cwd: string, branch: string) => Promise<string | null>;
	/** Whether that very process still lives: pid and kernel start time. */
	readonly isProcessAlive: (pid: number, startTime: string | null) => boolean;
	/** Absent unless recordings were asked for. */
	readonly recorder?: RunRecorder | undefined;
	readonly logger: Logger;
	readonly telemetry: Telemetry;
	readonly fault: FaultPoint;
}
