import { readFileSync } from "node:fs";
import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import type { ProviderConfig } from "./codex/config.ts";
import type { ProviderSettings } from "./descriptor.ts";

const IDLE_MS = 300_000;
/** As codex.md has them for every provider. */
const RETRIES = { request: 4, stream: 5 };

const texts = z.record(z.string(), z.string()).default({});
const count = z.number().int().positive().nullable().default(null);

/** One entry below `providers` of config.json. */
const entrySchema = z.looseObject({
	/** What it speaks; needed for names that are not built in. */
	wire: z.enum(["chat", "claude", "copilot"]).optional(),
	label: z.string().min(1).optional(),
	base_url: z.string().nullable().default(null),
	model: z.string().min(1).nullable().default(null),
	models: z.array(z.string().min(1)).default([]),
	headers: texts,
	query_params: texts,
	api_key: z.string().min(1).nullable().default(null),
	env_key: z.string().min(1).nullable().default(null),
	deny_tools: z.array(z.string()).default([]),
	images: z.boolean().nullable().default(null),
	parallel_tool_calls: z.boolean().nullable().default(null),
	context_window: count,
	max_output_tokens: count,
	idle_timeout_ms: z.number().int().positive().default(IDLE_MS),
	request_max_retries: z.number().int().min(0).max(100).default(RETRIES.request),
	stream_max_retries: z.number().int().min(0).max(100).default(RETRIES.stream),
});
export type ProviderEntry = z.infer<typeof entrySchema>;
const fileSchema = z.looseObject({ providers: z.record(z.string(), entrySchema).default({}) });

/** Entries of config.json; none when there is no file. @throws AppError CONFIG_INVALID naming the member, never a value. */
export function readProviderEntries(file: string): Readonly<Record<string, ProviderEntry>> {
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENOTDIR") return {};
		throw new AppError("CONFIG_INVALID", `${file} cannot be read (${code ?? "unknown error"}).`);
	}
	let raw: unknown;
	try {
		raw = JSON.parse(text);
	} catch {
		throw new AppError("CONFIG_INVALID", `${file} is not JSON.`);
	}
	const parsed = fileSchema.safeParse(raw);
	if (parsed.success) return parsed.data.providers;
	const member = parsed.error.issues[0]?.path.join(".") ?? "providers";
	throw new AppError("CONFIG_INVALID", `${file}: ${member} is not as expected.`, { data: { file } });
}

/** Settings of an entry; of none, the defaults. */
export function settingsOfEntry(entry: ProviderEntry = entrySchema.parse({})): ProviderSettings {
	return {
		baseUrl: entry.base_url,
		model: entry.model,
		models: entry.models,
		headers: lowerNames(entry.headers),
		queryParams: entry.query_params,
		apiKey: entry.api_key,
		envKey: entry.env_key,
		denyTools: entry.deny_tools,
		images: entry.images,
		parallelToolCalls: entry.parallel_tool_calls,
		contextWindow: entry.context_window,
		maxOutputTokens: entry.max_output_tokens,
		idleMs: entry.idle_timeout_ms,
		retries: { request: entry.request_max_retries, stream: entry.stream_max_retries },
		extra: entry,
	};
}

function lowerNames(headers: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Settings of a `[model_providers.x]` with `wire_api = "chat"`; `model` and window are config.toml's own. */
export function settingsOfTable(
	table: ProviderConfig,
	about: { model: string | null; contextWindow: number | null },
	env: Readonly<Record<string, string | undefined>>,
): ProviderSettings {
	const fromEnv = Object.entries(table.env_http_headers).flatMap(([name, variable]) => {
		const value = env[variable]?.trim();
		return value ? [[name, value] as const] : [];
	});
	return {
		...settingsOfEntry(),
		baseUrl: table.base_url ?? null,
		model: about.model,
		headers: lowerNames({ ...table.http_headers, ...Object.fromEntries(fromEnv) }),
		queryParams: table.query_params,
		apiKey: table.experimental_bearer_token ?? null,
		envKey: table.env_key ?? null,
		contextWindow: about.contextWindow,
		idleMs: table.stream_idle_timeout_ms,
		retries: { request: table.request_max_retries, stream: table.stream_max_retries },
	};
}
