import type { Json } from "./codex-drive.ts";
import {
	type ScriptedItem,
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
} from "./scripted-model.ts";

/** What the model of a scenario says. */
export interface ScenarioModel {
	responses?: Json[];
	repeatLast?: boolean;
	/** Answer of the model list. */
	models?: unknown;
	/** Answer of the remote compaction. */
	compact?: unknown;
}

const USAGE = {
	input_tokens: 1000,
	input_tokens_details: { cached_tokens: 200 },
	output_tokens: 50,
	output_tokens_details: { reasoning_tokens: 10 },
	total_tokens: 1050,
};

/** The value at a dotted path. */
export function at(value: unknown, path: string): unknown {
	return path.split(".").reduce<unknown>((found, key) => (found as Json | null | undefined)?.[key], value);
}

/** Puts remembered values in the place of `${path}`. */
export function fill(value: unknown, known: Json): unknown {
	if (typeof value === "string") {
		const whole = value.match(/^\$\{([^}]+)\}$/u)?.[1];
		if (whole !== undefined) return at(known, whole);
		return value.replace(/\$\{([^}]+)\}/gu, (_, path: string) => String(at(known, path)));
	}
	if (Array.isArray(value)) return value.map((entry) => fill(entry, known));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, known)]));
}

function toChunk(chunk: unknown): string | { gate: string } {
	return typeof chunk === "string" ? chunk : { gate: String((chunk as Json)["pauseUntil"]) };
}

/** Silences are gates that open by themselves; each has a name of its own. */
function createSilences() {
	const lengths = new Map<string, number>();
	return {
		gate(ms: unknown): ScriptedItem {
			const name = `silence-${lengths.size}`;
			lengths.set(name, Number(ms));
			return { type: "gate", name };
		},
		play(model: ScriptedModel): void {
			for (const [name, ms] of lengths)
				void model.paused(name).then(() => setTimeout(() => model.release(name), ms).unref());
		},
	};
}

type Silences = ReturnType<typeof createSilences>;

function toItem(item: Json, silences: Silences): ScriptedItem {
	if (item["type"] === "pause") return { type: "gate", name: String(item["until"]) };
	if (item["type"] === "sleep") return silences.gate(item["ms"]);
	const chunks = item["chunks"];
	return (Array.isArray(chunks) ? { ...item, chunks: chunks.map(toChunk) } : item) as ScriptedItem;
}

function toResponse(response: Json, silences: Silences): ScriptedResponse {
	const items = response["items"] as Json[] | undefined;
	if (!Array.isArray(items)) return response as unknown as ScriptedResponse;
	const delay = response["startDelayMs"] === undefined ? [] : [silences.gate(response["startDelayMs"])];
	const isSlow = items.some(({ type }) => type === "sleep" || type === "pause") || response["chunkDelayMs"];
	// Dropped in the same moment in which it begins, so that nothing of it arrives.
	if (response["end"] === "drop" && !isSlow && delay.length === 0) return { reset: true };
	const played = [...delay, ...items.map((item) => toItem(item, silences))];
	return { usage: USAGE, ...response, items: played } as ScriptedResponse;
}

interface Asked {
	input?: { type?: string; output?: unknown }[];
}

/** `{"$lastOutput": "regex"}` stands for what the regex finds in the last tool output of the request. */
function withLastOutput(value: unknown, body: Asked): unknown {
	if (Array.isArray(value)) return value.map((entry) => withLastOutput(entry, body));
	if (typeof value !== "object" || value === null) return value;
	const pattern = (value as Json)["$lastOutput"];
	if (typeof pattern === "string") {
		const last = body.input?.findLast(({ type }) => type?.endsWith("_output"));
		const found = new RegExp(pattern, "u").exec(JSON.stringify(last?.output ?? ""))?.[1];
		return (value as Json)["number"] === true ? Number(found) : found;
	}
	return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withLastOutput(entry, body)]));
}

const COMPACTED = {
	output: [
		{ type: "message", role: "user", content: [{ type: "input_text", text: "a summary of the history" }] },
		{ type: "compaction", encrypted_content: "ENC" },
	],
};
const MODELS = { object: "list", data: [{ id: "mock-model", object: "model" }], models: [] };

/** The scripted model of a scenario, with `known` in the places of its script. */
export async function startScenarioModel(mock: ScenarioModel, known: Json): Promise<ScriptedModel> {
	const silences = createSilences();
	const responses = (fill(mock.responses ?? [], known) as Json[]).map((one) => toResponse(one, silences));
	const model = await startScriptedModel({
		responses,
		repeatLast: mock.repeatLast === true,
		routes: { "GET /models": mock.models ?? MODELS, "POST /responses/compact": mock.compact ?? COMPACTED },
		rewrite: (scripted, body) => withLastOutput(scripted, (body ?? {}) as Asked) as ScriptedResponse,
	});
	silences.play(model);
	return model;
}
