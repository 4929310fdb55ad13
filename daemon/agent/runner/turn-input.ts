import type { TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelOptions } from "#daemon/agent/model.ts";
import type { StoredThread } from "#daemon/storage/repository/chat-thread.ts";
import type { TurnOptions } from "#daemon/storage/repository/chat-turn.ts";
import type { ThreadSettings, TurnKind } from "#protocol/record.ts";
import type { LoopSettings } from "./deps.ts";

function text(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : undefined;
}

/** Members of Codex `CollaborationMode.settings`; they outrank the thread's own. */
function modeSettings(settings: ThreadSettings): Readonly<Record<string, unknown>> {
	const found = settings.collaboration_mode?.["settings"];
	return typeof found === "object" && found !== null ? { ...found } : {};
}

export function modeOf(settings: ThreadSettings): "default" | "plan" {
	return settings.collaboration_mode?.mode === "plan" ? "plan" : "default";
}

/** The model that the thread names; null: the provider's default. */
export function modelOf(thread: Pick<StoredThread, "model" | "settings">): string | null {
	return text(modeSettings(thread.settings)["model"]) ?? thread.model;
}

function optionsOf(thread: StoredThread, options: TurnOptions): ModelOptions {
	const { effort, summary, verbosity, service_tier, originator } = thread.settings;
	return {
		effort: text(modeSettings(thread.settings)["reasoning_effort"]) ?? effort,
		summary,
		verbosity,
		serviceTier: service_tier,
		outputSchema: options.output_schema,
		sandbox: thread.sandbox,
		originator,
	};
}

interface TaskParts {
	thread: StoredThread;
	kind: TurnKind;
	options: TurnOptions;
	config: LoopSettings;
}

/** What the thread's settings and what was asked of this turn say to the loop. */
export function taskInput({ thread, kind, options, config }: TaskParts) {
	const { settings, thread_id: threadId, cwd } = thread;
	const own = settings.config ?? {};
	const raw = own["show_raw_agent_reasoning"];
	return {
		threadId,
		cwd,
		kind,
		review: options.review ?? null,
		options: optionsOf(thread, options),
		mode: modeOf(settings),
		showRawReasoning: typeof raw === "boolean" ? raw : (config.showRawReasoning ?? false),
		rawEvents: settings["raw_events"] === true,
		compactPrompt: text(own["compact_prompt"]) ?? config.compactPrompt ?? null,
	} satisfies Partial<TurnInput>;
}
