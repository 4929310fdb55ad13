import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { Clock } from "#base/clock.ts";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { makeFolder } from "#platform/make-folder.ts";

/** What a provider says of one of its models. */
export const catalogueModelSchema = z.looseObject({
	id: z.string().min(1),
	label: z.string().nullable().default(null),
	context_window: z.number().int().positive().nullable().default(null),
	max_output_tokens: z.number().int().positive().nullable().default(null),
	images: z.boolean().nullable().default(null),
	tools: z.boolean().nullable().default(null),
});
export type CatalogueModel = z.infer<typeof catalogueModelSchema>;

const fileSchema = z.looseObject({
	version: z.literal(1),
	/** Where it was asked; another address has other models. */
	source: z.string(),
	fetched_at_ms: z.number(),
	models: z.array(catalogueModelSchema),
});

export interface CatalogueOptions {
	readonly file: string;
	/** Address that is asked, without secrets. */
	readonly source: string;
	readonly clock: Clock;
	readonly fallback: readonly string[];
	discover(signal: AbortSignal): Promise<CatalogueModel[]>;
	/** Default 1 h: models change by the week, and a list costs one small request. */
	readonly ttlMs?: number;
}

/** Models of one provider. */
export interface Catalogue {
	/** What is known now; starts a renewal behind the scenes when that is old. Never throws. */
	models(): readonly CatalogueModel[];
	/** Asks now, whatever the age. Rejects with what went wrong; the old stays then. */
	refresh(): Promise<readonly CatalogueModel[]>;
	/** Ends a renewal that runs. */
	[Symbol.dispose](): void;
}

const TTL_MS = 3_600_000;
/** After a failure; a provider that is away must not be asked at each look. */
const RETRY_PAUSE_MS = 60_000;
const DISCOVERY_TIMEOUT_MS = 15_000;

export function createCatalogue(options: CatalogueOptions): Catalogue {
	const { file, source, clock } = options;
	const stop = new AbortController();
	let known = readCache(file, source);
	let running: Promise<readonly CatalogueModel[]> | null = null;
	let failedAtMs = Number.NEGATIVE_INFINITY;
	const fallback = options.fallback.map((id) => catalogueModelSchema.parse({ id }));

	async function ask(): Promise<readonly CatalogueModel[]> {
		const timeout = new AbortController();
		using _timer = clock.after(DISCOVERY_TIMEOUT_MS, () => timeout.abort(new Error("no answer in time")));
		try {
			const models = await options.discover(AbortSignal.any([stop.signal, timeout.signal]));
			known = { models, fetchedAtMs: clock.nowMs() };
			writeCache(file, source, known);
			return models;
		} catch (error) {
			failedAtMs = clock.nowMs();
			throw error;
		} finally {
			running = null;
		}
	}
	function refresh(): Promise<readonly CatalogueModel[]> {
		running ??= ask();
		return running;
	}
	function models(): readonly CatalogueModel[] {
		const now = clock.nowMs();
		const isOld = known === null || now - known.fetchedAtMs > (options.ttlMs ?? TTL_MS);
		if (isOld && now - failedAtMs > RETRY_PAUSE_MS && !stop.signal.aborted) refresh().catch(() => undefined);
		return known === null || known.models.length === 0 ? fallback : known.models;
	}
	return {
		models,
		refresh,
		[Symbol.dispose]: () => stop.abort(new Error("the catalogue was closed")),
	};
}

interface Known {
	models: readonly CatalogueModel[];
	fetchedAtMs: number;
}

function readCache(file: string, source: string): Known | null {
	try {
		const cached = fileSchema.parse(JSON.parse(readFileSync(file, "utf8")));
		return cached.source === source ? { models: cached.models, fetchedAtMs: cached.fetched_at_ms } : null;
	} catch {
		return null;
	}
}

function writeCache(file: string, source: string, known: Known): void {
	const content = { version: 1, source, fetched_at_ms: known.fetchedAtMs, models: known.models };
	try {
		makeFolder(dirname(file));
		writeFileAtomic(file, JSON.stringify(content));
	} catch {
		// Only a cache: without it the next daemon asks again.
	}
}
