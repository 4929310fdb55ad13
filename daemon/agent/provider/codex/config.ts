import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { AppError } from "#base/app-error.ts";

const stringMap = z.record(z.string(), z.string());

/** One `[model_providers.<id>]`; members this version does not use are ignored, as Codex's own file holds more. */
const providerSchema = z.looseObject({
	name: z.string().optional(),
	base_url: z.string().optional(),
	env_key: z.string().min(1).optional(),
	env_key_instructions: z.string().optional(),
	experimental_bearer_token: z.string().min(1).optional(),
	wire_api: z.string().default("responses"),
	query_params: stringMap.default({}),
	http_headers: stringMap.default({}),
	env_http_headers: stringMap.default({}),
	request_max_retries: z.int().min(0).max(100).default(4),
	stream_max_retries: z.int().min(0).max(100).default(5),
	stream_idle_timeout_ms: z.int().min(1).default(300_000),
	requires_openai_auth: z.boolean().default(false),
});
export type ProviderConfig = z.infer<typeof providerSchema>;

/** A switch of config.toml's `[tools]`: a bare boolean, or a table with `enabled`. */
const toolSwitch = z
	.union([z.boolean(), z.looseObject({ enabled: z.boolean().optional() })])
	.optional()
	.catch(undefined);

const configSchema = z.looseObject({
	model: z.string().min(1).optional(),
	model_provider: z.string().min(1).optional(),
	model_reasoning_effort: z.string().optional(),
	model_reasoning_summary: z.string().optional(),
	model_verbosity: z.string().optional(),
	service_tier: z.string().optional(),
	/** The profile whose members win over the ones above. */
	profile: z.string().optional(),
	profiles: z.record(z.string(), z.looseObject({})).default({}),
	model_providers: z.record(z.string(), providerSchema).default({}),
	openai_base_url: z.string().optional(),
	chatgpt_base_url: z.string().optional(),
	model_context_window: z.int().min(1).optional(),
	model_auto_compact_token_limit: z.int().min(1).optional(),
	show_raw_agent_reasoning: z.boolean().optional().catch(undefined),
	compact_prompt: z.string().optional().catch(undefined),
	/** Policies may have a shape of a newer Codex; then they are left to the default. */
	approval_policy: z.enum(["untrusted", "on-request", "never"]).optional().catch(undefined),
	sandbox_mode: z.enum(["read-only", "workspace-write", "danger-full-access"]).optional().catch(undefined),
	/** What a workspace-write sandbox opens and closes beyond the workspace. */
	sandbox_workspace_write: z
		.looseObject({
			writable_roots: z.array(z.string()).default([]),
			network_access: z.boolean().default(false),
			exclude_tmpdir_env_var: z.boolean().default(false),
			exclude_slash_tmp: z.boolean().default(false),
		})
		.optional()
		.catch(undefined),
	project_doc_max_bytes: z.int().min(0).optional().catch(undefined),
	developer_instructions: z.string().optional().catch(undefined),
	tools: z
		.looseObject({ update_plan: toolSwitch, web_search: toolSwitch, view_image: toolSwitch })
		.default({})
		.catch({}),
	features: z.record(z.string(), z.unknown()).default({}).catch({}),
	/** Handed on raw: who runs MCP servers parses them. */
	mcp_servers: z.record(z.string(), z.unknown()).default({}).catch({}),
	projects: z
		.record(z.string(), z.looseObject({ trust_level: z.string().optional().catch(undefined) }))
		.default({})
		.catch({}),
});
export type CodexConfig = z.infer<typeof configSchema>;

export const EMPTY_CONFIG: CodexConfig = configSchema.parse({});
/** A provider table with nothing in it but the defaults. */
export const DEFAULT_PROVIDER: ProviderConfig = providerSchema.parse({});

/** The members of the chosen profile over those at the top, as Codex has it. */
function withProfile(raw: Record<string, unknown>): Record<string, unknown> {
	const { profile, profiles } = raw;
	if (typeof profile !== "string" || typeof profiles !== "object" || profiles === null) return raw;
	const chosen = Object.hasOwn(profiles, profile)
		? (profiles as Record<string, unknown>)[profile]
		: undefined;
	return typeof chosen === "object" && chosen !== null ? { ...raw, ...chosen } : raw;
}

/** Names that would reach into every object. */
const UNSAFE: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function setMember(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
	const [name = "", ...rest] = path;
	if (UNSAFE.has(name)) return;
	if (rest.length === 0) {
		if (value === null) delete target[name];
		else target[name] = value;
		return;
	}
	const present = target[name];
	const inner =
		typeof present === "object" && present !== null && !Array.isArray(present) ? { ...present } : {};
	setMember(inner as Record<string, unknown>, rest, value);
	target[name] = inner;
}

/**
 * config.toml with a thread's own overrides: keys may be dotted paths (`tools.web_search`), null takes a member away.
 * @throws AppError CONFIG_INVALID naming the key; never its value.
 */
export function overrideConfig(
	config: CodexConfig,
	overrides: Readonly<Record<string, unknown>> | undefined,
): CodexConfig {
	if (overrides === undefined || Object.keys(overrides).length === 0) return config;
	const next: Record<string, unknown> = { ...config };
	for (const [key, value] of Object.entries(overrides)) setMember(next, key.split("."), value);
	const parsed = configSchema.safeParse(withProfile(next));
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	const path = (issue?.path ?? []).map(String).join(".");
	throw new AppError("CONFIG_INVALID", `config override ${path}: ${issue?.message ?? "not valid"}`);
}

/** 1-based line of `[model_providers.x]` or of a key, for messages; null when it is written in another form. */
function lineOf(text: string, path: readonly PropertyKey[]): number | null {
	const names = path.map(String);
	const key = names.at(-1) ?? "";
	const table = names.slice(0, -1).join(".");
	let current = "";
	for (const [index, raw] of text.split(/\r?\n/).entries()) {
		const header = /^\s*\[([^\]]+)\]/.exec(raw)?.[1];
		if (header !== undefined) current = header.replaceAll(/["'\s]/g, "");
		if (header !== undefined && current === names.join(".")) return index + 1;
		const name = /^\s*["']?([\w-]+)["']?\s*=/.exec(raw)?.[1];
		if (name === key && current === table) return index + 1;
	}
	return null;
}

/**
 * Parses Codex's config.toml; `file` is for messages.
 * @throws AppError CONFIG_INVALID naming file and line; values are never repeated, as they may be secrets.
 */
export function parseConfig(text: string, file: string): CodexConfig {
	let raw: Record<string, unknown>;
	try {
		raw = parse(text);
	} catch (error) {
		if (!(error instanceof TomlError)) throw error;
		const why = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
		const data = { file, line: error.line, column: error.column };
		throw new AppError("CONFIG_INVALID", `${file}:${error.line}: not valid TOML: ${why}`, { data });
	}
	const parsed = configSchema.safeParse(withProfile(raw));
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	const path = issue?.path ?? [];
	const line = lineOf(text, path);
	const where = line === null ? file : `${file}:${line}`;
	throw new AppError(
		"CONFIG_INVALID",
		`${where}: ${path.map(String).join(".")}: ${issue?.message ?? "not valid"}`,
		{
			data: { file, line },
		},
	);
}

/** The line of a provider's `wire_api`, or of its table. */
export function lineOfProvider(text: string, id: string): number | null {
	return lineOf(text, ["model_providers", id, "wire_api"]) ?? lineOf(text, ["model_providers", id]);
}
