import type { Thread, Turn } from "#protocol/record.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";
import { rolloutPath } from "./rollout-path.ts";
import { activeProfileOf, sandboxPolicyOf } from "./sandbox-policy.ts";
import { seconds, viewTurns } from "./turn-view.ts";

/** A thread's status as Codex clients see it. */
export type ThreadStatus =
	| { type: "notLoaded" }
	| { type: "idle" }
	| { type: "systemError" }
	| { type: "active"; activeFlags: readonly string[] };

export interface ThreadViewPorts {
	readonly codexHome: string;
	/** Version of the protocol that we speak. */
	readonly protocol: string;
	status(threadId: string): ThreadStatus;
	/** See `CodexFacadePorts.providerId`. */
	providerId(): string;
}

/** Our name for config.toml's `model_provider`, whichever that is. */
export const CODEX_PROVIDER = "codex";

/** Clients know the ids of config.toml, and name them again for threads of their own. */
export function providerOf({ providerId }: Pick<ThreadViewPorts, "providerId">, thread: Thread): string {
	if (thread.provider !== CODEX_PROVIDER) return thread.provider;
	const own = thread.settings?.config?.["model_provider"];
	return typeof own === "string" ? own : providerId();
}

interface ThreadViewOptions {
	/** Only threads that a client opened take input; lists don't say. */
	readonly forList?: boolean;
	readonly turns?: readonly Turn[];
	/** A fork says where it comes from when it is made and resumed. */
	readonly forkedFrom?: string;
}

function environmentsOf(thread: Thread): JsonObject[] {
	return [{ environmentId: "local", cwd: thread.cwd, runtimeWorkspaceRoots: [thread.cwd] }];
}

/** A thread as a Codex client sees it; whoever made it. */
export function viewThread(
	ports: ThreadViewPorts,
	thread: Thread,
	options: ThreadViewOptions = {},
): JsonObject {
	const { settings } = thread;
	const status = ports.status(thread.thread_id);
	const isLoaded = status.type !== "notLoaded";
	const updatedAt = seconds(thread.updated_at_ms);
	return {
		id: thread.thread_id,
		environments: isLoaded ? environmentsOf(thread) : null,
		extra: null,
		sessionId: thread.thread_id,
		forkedFromId: options.forkedFrom ?? null,
		attachedToThreadId: null,
		parentThreadId: null,
		preview: thread.preview ?? "",
		ephemeral: settings?.ephemeral ?? false,
		section: null,
		sectionEnteredAt: null,
		projectId: null,
		historyMode: "paginated",
		modelProvider: providerOf(ports, thread),
		model: thread.model,
		reasoningEffort: settings?.effort ?? null,
		createdAt: seconds(thread.created_at_ms),
		updatedAt,
		recencyAt: updatedAt,
		status,
		path: settings?.ephemeral ? null : (settings?.rollout_path ?? rolloutPath(ports.codexHome, thread)),
		cwd: thread.cwd,
		cliVersion: ports.protocol,
		originator: settings?.originator ?? null,
		source: sourceOf(thread),
		canAcceptDirectInput: isLoaded && options.forList !== true ? true : null,
		threadSource: settings?.["thread_source"] ?? null,
		agentNickname: null,
		agentRole: null,
		gitInfo: thread.turn_count === 0 ? null : (settings?.["git_info"] ?? null),
		name: nameOf(thread),
		daybreakEnabled: null,
		turns: viewTurns(options.turns ?? [], "full"),
	};
}

/** Only a name that somebody gave; the start of the first message is the preview's. */
export function nameOf(thread: Thread): string | null {
	return thread.named === false ? null : thread.title;
}

/** Threads of our own clients count as those of a command line. */
export function sourceOf(thread: Thread): string {
	return thread.settings?.source ?? "cli";
}

/** Members that the answers to start, resume and fork have beside the thread. */
export function viewThreadContext(
	ports: ThreadViewPorts,
	thread: Thread,
	instructionSources: readonly string[],
): JsonObject {
	return {
		model: thread.model ?? "",
		modelProvider: providerOf(ports, thread),
		serviceTier: thread.settings?.service_tier ?? null,
		disabledPluginIds: [],
		cwd: thread.cwd,
		runtimeWorkspaceRoots: [thread.cwd],
		instructionSources,
		approvalPolicy: thread.approval_policy,
		approvalsReviewer: "user",
		sandbox: sandboxPolicyOf(thread),
		activePermissionProfile: activeProfileOf(thread),
		reasoningEffort: thread.settings?.effort ?? null,
		multiAgentMode: "explicitRequestOnly",
	};
}

/** Codex `CollaborationMode`, the default one where none was chosen. */
export function collaborationModeOf(thread: Thread): JsonObject {
	const chosen = thread.settings?.collaboration_mode;
	const own = isObject(chosen?.["settings"]) ? chosen["settings"] : { developer_instructions: null };
	const settings = {
		...own,
		model: thread.model ?? "",
		reasoning_effort: thread.settings?.effort ?? null,
	};
	return { mode: "default", ...chosen, settings };
}

/** Codex `ThreadSettings`. */
export function viewThreadSettings(ports: ThreadViewPorts, thread: Thread): JsonObject {
	const { settings } = thread;
	return {
		disabledPluginIds: [],
		cwd: thread.cwd,
		environments: environmentsOf(thread),
		approvalPolicy: thread.approval_policy,
		approvalsReviewer: "user",
		sandboxPolicy: sandboxPolicyOf(thread),
		activePermissionProfile: activeProfileOf(thread),
		model: thread.model ?? "",
		modelProvider: providerOf(ports, thread),
		serviceTier: settings?.service_tier ?? null,
		effort: settings?.effort ?? null,
		summary: settings?.summary ?? null,
		collaborationMode: collaborationModeOf(thread),
		multiAgentMode: "explicitRequestOnly",
		personality: settings?.personality ?? null,
	};
}
