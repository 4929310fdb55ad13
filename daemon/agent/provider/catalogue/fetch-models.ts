import { z } from "zod";
import { type CatalogueModel, catalogueModelSchema } from "./catalogue.ts";

const MAX_PAGES = 20;
const positive = z.number().int().positive().nullish().catch(null);

/** Models as the several servers tell of them; each has its own names for the same things. */
const entrySchema = z.looseObject({
	id: z.string().min(1),
	display_name: z.string().nullish().catch(null),
	name: z.string().nullish().catch(null),
	context_length: positive,
	max_model_len: positive,
	max_input_tokens: positive,
	max_tokens: positive,
	meta: z.looseObject({ n_ctx_train: positive, n_ctx: positive }).nullish().catch(null),
	capabilities: z
		.looseObject({
			type: z.string().nullish().catch(null),
			limits: z
				.looseObject({ max_context_window_tokens: positive, max_output_tokens: positive })
				.nullish()
				.catch(null),
			supports: z
				.looseObject({ tool_calls: z.boolean().nullish(), vision: z.boolean().nullish() })
				.nullish()
				.catch(null),
		})
		.nullish()
		.catch(null),
});
export type ModelEntry = z.infer<typeof entrySchema>;
const pageSchema = z.looseObject({
	data: z.array(z.unknown()),
	has_more: z.boolean().nullish(),
	last_id: z.string().nullish(),
});

function toModel(entry: ModelEntry): CatalogueModel {
	const { limits, supports } = entry.capabilities ?? {};
	return catalogueModelSchema.parse({
		id: entry.id,
		label: entry.display_name ?? entry.name ?? null,
		context_window:
			limits?.max_context_window_tokens ??
			entry.max_input_tokens ??
			entry.max_model_len ??
			entry.context_length ??
			entry.meta?.n_ctx ??
			entry.meta?.n_ctx_train ??
			null,
		max_output_tokens: limits?.max_output_tokens ?? entry.max_tokens ?? null,
		images: supports?.vision ?? null,
		tools: supports?.tool_calls ?? null,
	});
}

/**
 * GET of a list of models (`{data: [{id}]}`), page by page where it says that there is more.
 * @throws Error when the server refuses or says something else; without its keys.
 */
export async function fetchModels(options: {
	url: string;
	headers: Readonly<Record<string, string>>;
	signal: AbortSignal;
	/** Which entries count. */
	keep?: (entry: ModelEntry) => boolean;
}): Promise<CatalogueModel[]> {
	const models = new Map<string, CatalogueModel>();
	const url = new URL(options.url);
	for (let page = 0; page < MAX_PAGES; page += 1) {
		const response = await fetch(url, {
			headers: { accept: "application/json", ...options.headers },
			signal: options.signal,
			redirect: "manual",
		});
		if (response.status !== 200) {
			await response.body?.cancel();
			throw new Error(`${url.origin}${url.pathname} answered ${response.status}`);
		}
		const { data, has_more: hasMore, last_id: lastId } = pageSchema.parse(await response.json());
		for (const raw of data) {
			const entry = entrySchema.safeParse(raw);
			if (entry.success && (options.keep?.(entry.data) ?? true))
				models.set(entry.data.id, toModel(entry.data));
		}
		if (hasMore !== true || typeof lastId !== "string") break;
		url.searchParams.set("after_id", lastId);
	}
	return [...models.values()];
}
