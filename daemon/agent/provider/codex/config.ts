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

const configSchema = z.looseObject({
	model: z.string().min(1).optional(),
	model_provider: z.string().min(1).optional(),
	model_providers: z.record(z.string(), providerSchema).default({}),
	openai_base_url: z.string().optional(),
	model_context_window: z.int().min(1).optional(),
	model_reasoning_effort: z.string().optional(),
	model_reasoning_summary: z.string().optional(),
	model_verbosity: z.string().optional(),
	model_auto_compact_token_limit: z.int().min(1).optional(),
	/** Policies may have a shape of a newer Codex; then they are left to the default. */
	approval_policy: z.enum(["untrusted", "on-request", "never"]).optional().catch(undefined),
	sandbox_mode: z.enum(["read-only", "workspace-write", "danger-full-access"]).optional().catch(undefined),
	project_doc_max_bytes: z.int().min(0).optional().catch(undefined),
	developer_instructions: z.string().optional().catch(undefined),
});
export type CodexConfig = z.infer<typeof configSchema>;

export const EMPTY_CONFIG: CodexConfig = configSchema.parse({});
/** A provider table with nothing in it but the defaults. */
export const DEFAULT_PROVIDER: ProviderConfig = providerSchema.parse({});

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
	let raw: unknown;
	try {
		raw = parse(text);
	} catch (error) {
		if (!(error instanceof TomlError)) throw error;
		const why = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
		const data = { file, line: error.line, column: error.column };
		throw new AppError("CONFIG_INVALID", `${file}:${error.line}: not valid TOML: ${why}`, { data });
	}
	const parsed = configSchema.safeParse(raw);
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
