import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { Clock } from "#base/clock.ts";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { readText, sendHttp } from "../wire/http.ts";
import { type CatalogueModel, CODEX_MODELS } from "./catalogue.ts";
import type { ModelSource } from "./provider.ts";

/** As the real one: a list is good for five minutes, unless an answer's tag says it changed. */
const TTL_MS = 5 * 60_000;
/** After a backend that gave no list. */
const PAUSE_MS = 60_000;
const TIMEOUT_MS = 10_000;
const MAX_LIST_BYTES = 16 * 1024 * 1024;

const effortSchema = z.looseObject({ effort: z.string(), description: z.string().catch("") });
const tierSchema = z.looseObject({ id: z.string(), name: z.string(), description: z.string().catch("") });
const strings = z.array(z.string());

/** One model as `/models` tells it; a member that is not as expected falls back to what most models have. */
const rowSchema = z.looseObject({
	slug: z.string().min(1),
	display_name: z.string().optional().catch(undefined),
	description: z.string().nullish().catch(null),
	visibility: z.string().catch("list"),
	priority: z.number().catch(100),
	tool_mode: z.string().nullish().catch(null),
	use_responses_lite: z.boolean().catch(false),
	context_window: z.number().int().positive().catch(272_000),
	max_context_window: z.number().int().positive().nullish().catch(null),
	supported_reasoning_levels: z.array(effortSchema).catch([]),
	default_reasoning_level: z.string().nullish().catch(null),
	multi_agent_reasoning_effort: z.string().nullish().catch(null),
	support_verbosity: z.boolean().catch(false),
	default_verbosity: z.string().nullish().catch(null),
	service_tiers: z.array(tierSchema).catch([]),
	default_service_tier: z.string().nullish().catch(null),
	additional_speed_tiers: strings.catch([]),
	input_modalities: strings.catch(["text", "image"]),
	multi_agent_version: z.string().nullish().catch(null),
	model_specialty: z.string().nullish().catch(null),
	upgrade: z.looseObject({ model: z.string() }).nullish().catch(null),
});
const listSchema = z.looseObject({ models: z.array(z.unknown()) });

function modelOf(row: z.infer<typeof rowSchema>): CatalogueModel {
	const built = CODEX_MODELS.find((model) => model.id === row.slug);
	return {
		id: row.slug,
		displayName: row.display_name ?? row.slug,
		description: built?.description ?? row.description ?? "",
		hidden: row.visibility !== "list",
		priority: row.priority,
		toolMode: row.tool_mode?.startsWith("code_mode") === true ? "code" : "classic",
		responsesLite: row.use_responses_lite,
		contextWindow: row.context_window,
		maxContextWindow: row.max_context_window ?? row.context_window,
		efforts: row.supported_reasoning_levels.map(({ effort, description }) => ({ effort, description })),
		defaultEffort: row.default_reasoning_level ?? "medium",
		ultraEffort: row.multi_agent_reasoning_effort ?? "max",
		defaultVerbosity: row.support_verbosity ? (row.default_verbosity ?? "medium") : null,
		serviceTiers: row.service_tiers.map(({ id, name, description }) => ({ id, name, description })),
		defaultServiceTier: row.default_service_tier ?? null,
		additionalSpeedTiers: row.additional_speed_tiers,
		inputModalities: row.input_modalities,
		multiAgentVersion: row.multi_agent_version ?? null,
		specialty: row.model_specialty ?? null,
		upgrade: row.upgrade?.model ?? null,
	};
}

/** Reads a list; rows that cannot be read are left out, and an empty list is none. */
export function parseModelList(value: unknown): CatalogueModel[] | null {
	const list = listSchema.safeParse(value);
	if (!list.success) return null;
	const rows = list.data.models.flatMap((each) => {
		const row = rowSchema.safeParse(each);
		return row.success ? [modelOf(row.data)] : [];
	});
	return rows.length === 0 ? null : rows;
}

const cacheSchema = z.looseObject({
	source: z.string(),
	etag: z.string().nullable(),
	fetched_at_ms: z.number(),
	list: z.unknown(),
});

/** Where the list is asked for now; null: nobody may be asked (no login, or another provider pays). */
export interface ModelsEndpoint {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
}

export interface ModelsOptions {
	/** The cache, readable by this user only. */
	readonly file: string;
	readonly clock: Clock;
	endpoint(): Promise<ModelsEndpoint | null>;
}

/** The OpenAI provider's models: the built-in catalogue until the backend told its own. */
export interface CodexModels extends ModelSource, AsyncDisposable {
	/** Asks now unless the list is fresh; resolves with what is known then and never rejects. */
	refresh(options?: { force?: boolean }): Promise<readonly CatalogueModel[]>;
}

interface Known {
	source: string;
	etag: string | null;
	fetchedAtMs: number;
	list: unknown;
	models: readonly CatalogueModel[];
}

function readCache(file: string): Known | null {
	try {
		const {
			source,
			etag,
			fetched_at_ms: fetchedAtMs,
			list,
		} = cacheSchema.parse(JSON.parse(readFileSync(file, "utf8")));
		const models = parseModelList(list);
		return models === null ? null : { source, etag, fetchedAtMs, list, models };
	} catch {
		return null;
	}
}

function writeCache(file: string, { source, etag, fetchedAtMs, list }: Known): void {
	try {
		mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
		writeFileAtomic(file, JSON.stringify({ source, etag, fetched_at_ms: fetchedAtMs, list }));
	} catch {
		// A cache that cannot be written is a request more the next time.
	}
}

async function fetchList(
	{ url, headers }: ModelsEndpoint,
	etag: string | null,
	{ clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<{ status: number; etag: string | null; text: string } | null> {
	try {
		const answer = await sendHttp({
			method: "GET",
			url,
			headers: { ...headers, ...(etag === null ? {} : { "if-none-match": etag }) },
			clock,
			signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
		});
		const text = await readText(answer, MAX_LIST_BYTES);
		return { status: answer.status, etag: answer.headers.get("etag"), text };
	} catch {
		return null;
	}
}

function parseText(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

export function createCodexModels({ file, clock, endpoint }: ModelsOptions): CodexModels {
	const left = new AbortController();
	let known: Known | null | undefined;
	let pausedUntilMs = 0;
	let running: Promise<void> | null = null;
	let noted: string | null = null;
	/** Models of the source that is asked now; another backend's list says nothing of it. */
	let current = "";

	function cached(): Known | null {
		known ??= readCache(file);
		return known;
	}

	function take(target: ModelsEndpoint, reply: { etag: string | null; list: unknown }): boolean {
		const models = parseModelList(reply.list);
		if (models === null) return false;
		const { etag, list } = reply;
		known = { source: target.url, etag, fetchedAtMs: clock.nowMs(), list, models };
		writeCache(file, known);
		return true;
	}

	function isDue(own: Known | null): boolean {
		const isFresh = own !== null && clock.nowMs() - own.fetchedAtMs < TTL_MS;
		return !isFresh && clock.monotonicMs() >= pausedUntilMs;
	}

	async function ask(force: boolean): Promise<void> {
		const target = await endpoint().catch(() => null);
		if (target === null) return;
		current = target.url;
		const present = cached();
		const own = present?.source === target.url ? present : null;
		if (!force && !isDue(own)) return;
		const reply = await fetchList(target, own?.etag ?? null, { clock, signal: left.signal });
		if (reply?.status === 304 && own !== null) {
			known = { ...own, fetchedAtMs: clock.nowMs() };
			writeCache(file, known);
			return;
		}
		const taken = reply?.status === 200 && take(target, { etag: reply.etag, list: parseText(reply.text) });
		if (!taken) pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
	}

	function start(force: boolean): Promise<void> {
		running ??= ask(force).finally(() => {
			running = null;
		});
		return running;
	}

	function models(): readonly CatalogueModel[] {
		const present = cached();
		return present !== null && present.source === current ? present.models : CODEX_MODELS;
	}

	return {
		models,
		noteEtag(etag) {
			// Once per tag: a backend whose list has none, or another spelling, is not asked after each answer.
			if (etag === noted) return;
			noted = etag;
			const present = cached();
			if (present?.etag !== etag && present?.etag !== `"${etag}"`) void start(true);
		},
		async refresh({ force = false } = {}) {
			await start(force);
			return models();
		},
		async [Symbol.asyncDispose]() {
			left.abort();
			await running;
		},
	};
}
