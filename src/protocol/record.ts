import { z } from "zod";
import { itemSchema, tokenUsageSchema, turnErrorSchema } from "./codex-item.ts";

/** Records that methods return and topics publish. Times are milliseconds since 1970; ids UUIDv7 unless said. */
export const approvalPolicySchema = z.enum(["untrusted", "on-request", "never"]);
export type ApprovalPolicy = z.infer<typeof approvalPolicySchema>;
export const sandboxModeSchema = z.enum(["read-only", "workspace-write", "danger-full-access"]);
export type SandboxMode = z.infer<typeof sandboxModeSchema>;

/** Who holds control of a thread or terminal (contracts.md 5). */
export const controllerSchema = z.looseObject({
	client: z.string(),
	device: z.string(),
	since_ms: z.number(),
});

/** Who runs a thread's turns: the loop in this daemon, or the real `codex app-server`. */
export const runnerKindSchema = z.enum(["embedded", "cli"]);
export type RunnerKind = z.infer<typeof runnerKindSchema>;

/**
 * What a thread keeps beside its columns; an absent member means the default of config.toml or of the model. Loose: a
 * newer version's members survive. Values inside Codex's own structures keep Codex's camelCase.
 */
export const threadSettingsSchema = z.looseObject({
	/** Instead of the model's own base instructions. */
	base_instructions: z.string().optional(),
	developer_instructions: z.string().optional(),
	personality: z.string().optional(),
	effort: z.string().optional(),
	/** Reasoning summary: auto, concise, detailed, none. */
	summary: z.string().optional(),
	verbosity: z.string().optional(),
	service_tier: z.string().optional(),
	/** Codex `CollaborationMode`: {mode: "plan" | "default", settings: {...}}. */
	collaboration_mode: z.looseObject({ mode: z.string() }).optional(),
	/** Codex `DynamicToolSpec`s: tools that a client brings and runs. */
	dynamic_tools: z.array(z.looseObject({})).optional(),
	/** Codex `SandboxPolicy`, where it says more than the mode: {type, networkAccess, writableRoots, ...}. */
	sandbox_policy: z.looseObject({ type: z.string() }).optional(),
	/** Overrides of config.toml for this thread, dotted keys allowed. */
	config: z.record(z.string(), z.unknown()).optional(),
	/** Never listed; gone with the daemon. */
	ephemeral: z.boolean().optional(),
	forked_from: z.string().optional(),
	/** Codex `SessionSource`: vscode, cli, exec, appServer ...; who made it, as `initialize` said. */
	source: z.string().optional(),
	originator: z.string().optional(),
	runner: runnerKindSchema.optional(),
	/** Ids of the thread at the provider (the real codex) where they are others than ours, newest last, parted by blanks. */
	provider_thread_id: z.string().optional(),
	/** The rollout that it was imported from. */
	rollout_path: z.string().optional(),
});
export type ThreadSettings = z.infer<typeof threadSettingsSchema>;

export const threadStatusSchema = z.enum(["idle", "working", "needs_you"]);
export const threadSchema = z.looseObject({
	thread_id: z.string(),
	/** Agent name in the weave session, unique there. */
	agent_name: z.string(),
	title: z.string().nullable(),
	provider: z.string(),
	model: z.string().nullable(),
	cwd: z.string(),
	machine_id: z.string(),
	approval_policy: approvalPolicySchema,
	sandbox: sandboxModeSchema,
	status: threadStatusSchema,
	archived: z.boolean(),
	controller: controllerSchema.nullable(),
	active_turn_id: z.string().nullable(),
	turn_count: z.int(),
	usage: tokenUsageSchema.nullable(),
	settings: threadSettingsSchema.optional(),
	/** Start of the first message, for lists; absent before it. */
	preview: z.string().nullable().optional(),
	/** Its title was given by somebody, not taken from its first message. */
	named: z.boolean().optional(),
	created_at_ms: z.number(),
	updated_at_ms: z.number(),
});
export type Thread = z.infer<typeof threadSchema>;

export const turnStatusSchema = z.enum(["inProgress", "completed", "interrupted", "failed"]);
export type TurnStatus = z.infer<typeof turnStatusSchema>;
/** What a turn is for; `regular` answers messages, the others were asked for by their own method. */
export const turnKindSchema = z.enum(["regular", "compact", "review", "user_shell"]);
export type TurnKind = z.infer<typeof turnKindSchema>;
export const turnSchema = z.looseObject({
	turn_id: z.string(),
	thread_id: z.string(),
	kind: turnKindSchema.optional(),
	status: turnStatusSchema,
	/** Why it ended as it did, for `interrupted` and `failed`. */
	reason: z.string().nullable(),
	error: turnErrorSchema.nullable(),
	started_at_ms: z.number(),
	completed_at_ms: z.number().nullable(),
	/** Commit that HEAD of the folder's repository meant at its start and at its end; absent or null where there is none. */
	git_head_before: z.string().nullable().optional(),
	git_head_after: z.string().nullable().optional(),
	items: z.array(itemSchema),
});
export type Turn = z.infer<typeof turnSchema>;

export const approvalDecisionSchema = z.enum(["accept", "accept_for_session", "decline", "cancel"]);
export type ApprovalDecision = z.infer<typeof approvalDecisionSchema>;
export const approvalStatusSchema = z.enum(["pending", "accepted", "declined", "cancelled", "expired"]);
export const approvalSchema = z.looseObject({
	approval_id: z.string(),
	thread_id: z.string(),
	turn_id: z.string(),
	item_id: z.string(),
	agent_name: z.string(),
	machine_id: z.string(),
	kind: z.enum(["command", "patch"]),
	/** Commands only: as shown, and the exact argv that will run. */
	command: z.string().nullable(),
	argv: z.array(z.string()).nullable(),
	cwd: z.string(),
	/** Patches only: files and diffs. */
	changes: z.array(z.looseObject({ path: z.string(), diff: z.string() })).nullable(),
	/** Commands only: the prefix that an accepting answer may allow for good. */
	proposed_prefix: z.array(z.string()).nullable().optional(),
	/** Commands only: Codex `commandActions`. */
	actions: z.array(z.looseObject({})).optional(),
	reason: z.string().nullable(),
	sandbox: sandboxModeSchema,
	/** Destructive class (contracts.md 5), when an explicit word is needed; the word to send as `confirm`. */
	destructive: z.string().nullable(),
	confirm_word: z.string().nullable(),
	/** SHA-256 over argv, cwd, environment names and patch; an answer must carry it. */
	digest: z.string(),
	status: approvalStatusSchema,
	/** Client label of who answered, and why it ended otherwise. */
	resolved_by: z.string().nullable(),
	resolved_reason: z.string().nullable(),
	requested_at_ms: z.number(),
	resolved_at_ms: z.number().nullable(),
});
export type Approval = z.infer<typeof approvalSchema>;

/**
 * What only a client can answer while a turn waits: a question of the model to the person, a call of a tool that a client
 * brought, an elicitation of an MCP server. It lives as long as its turn; the first valid answer wins.
 */
export const questionSchema = z.looseObject({
	question_id: z.string(),
	thread_id: z.string(),
	turn_id: z.string(),
	item_id: z.string(),
	agent_name: z.string(),
	kind: z.enum(["user_input", "tool_call", "elicitation"]),
	/** Params of the Codex server request of that kind, ids included. */
	params: z.looseObject({}),
	status: z.enum(["pending", "answered", "expired"]),
	resolved_by: z.string().nullable(),
	requested_at_ms: z.number(),
	resolved_at_ms: z.number().nullable(),
});
export type Question = z.infer<typeof questionSchema>;

export const terminalSchema = z.looseObject({
	terminal_id: z.string(),
	/** Short handle for people, unique on the machine while the terminal lives: `homie attach local:NAME`. */
	name: z.string(),
	argv: z.array(z.string()),
	cwd: z.string(),
	cols: z.int(),
	rows: z.int(),
	machine_id: z.string(),
	created_by: z.string(),
	created_at_ms: z.number(),
	status: z.enum(["running", "exited", "lost"]),
	exit_code: z.int().nullable(),
	/** Signal number that ended it, if one did. */
	signal: z.int().nullable(),
	title: z.string().nullable(),
	driver: controllerSchema.nullable(),
	watchers: z.int(),
});
export type Terminal = z.infer<typeof terminalSchema>;

export const weaveSessionSchema = z.looseObject({
	session_id: z.string(),
	name: z.string(),
	state: z.enum(["empty", "idle", "working", "needs_you", "closed"]),
	created_at_ms: z.number(),
	agent_count: z.int(),
});
export type WeaveSession = z.infer<typeof weaveSessionSchema>;

export const weaveAgentSchema = z.looseObject({
	agent_id: z.string(),
	session_id: z.string(),
	name: z.string(),
	kind: z.enum(["thread", "external", "person"]),
	thread_id: z.string().nullable(),
	connected: z.boolean(),
	status: threadStatusSchema,
	/** Messages accepted and not yet seen. */
	mailbox_length: z.int(),
	joined_at_ms: z.number(),
});
export type WeaveAgent = z.infer<typeof weaveAgentSchema>;

export const messageStateSchema = z.enum([
	"accepted",
	"delivered",
	"seen",
	"answered",
	"done",
	"failed",
	"dropped",
]);
export type MessageState = z.infer<typeof messageStateSchema>;
export const weaveMessageSchema = z.looseObject({
	message_id: z.string(),
	session_id: z.string(),
	from_agent_id: z.string(),
	from_name: z.string(),
	to_agent_id: z.string(),
	to_name: z.string(),
	kind: z.enum(["user", "reply", "control", "system"]),
	text: z.string(),
	in_reply_to: z.string().nullable(),
	state: messageStateSchema,
	/** Why it failed or was dropped. */
	reason: z.string().nullable(),
	/** Text of the answer once `answered`. */
	answer: z.string().nullable(),
	created_at_ms: z.number(),
	updated_at_ms: z.number(),
});
export type WeaveMessage = z.infer<typeof weaveMessageSchema>;

export const listenerSchema = z.looseObject({ kind: z.string(), address: z.string() });
export const daemonStatusSchema = z.looseObject({
	pid: z.int(),
	version: z.string(),
	epoch: z.string(),
	machine_id: z.string(),
	home: z.string(),
	weave_home: z.string(),
	codex_home: z.string(),
	started_at_ms: z.number(),
	uptime_ms: z.number(),
	listeners: z.array(listenerSchema),
	counts: z.record(z.string(), z.int()),
	pty_host: z.looseObject({ state: z.string(), pid: z.int().nullable(), version: z.string().nullable() }),
	sandbox: z.looseObject({ kind: z.string(), available: z.boolean(), detail: z.string().nullable() }),
	provider: z.looseObject({ name: z.string(), model: z.string().nullable(), detail: z.string() }),
	/** Who runs the turns of threads that do not say so themselves; absent from a daemon that knows one way only. */
	agent_backend: runnerKindSchema.optional(),
	store: z.looseObject({
		state: z.string(),
		detail: z.string().nullable(),
		size_bytes: z.number(),
		schema_version: z.int(),
	}),
	flags: z.array(z.looseObject({ name: z.string(), stage: z.string(), enabled: z.boolean() })),
	rss_bytes: z.number(),
});
export type DaemonStatus = z.infer<typeof daemonStatusSchema>;
