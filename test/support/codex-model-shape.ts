import type { Homes, Json } from "./codex-drive.ts";
import type { ScriptedRequest } from "./scripted-model.ts";

/** One item of what a model was sent, without the texts that each server words for itself. */
interface InputShape {
	readonly type: string;
	readonly role?: string;
	readonly name?: string;
	readonly encrypted?: true;
	/** What a tool answered, with its changing parts replaced. */
	readonly output?: string;
}

/** One request to the model, as two servers can be compared by it. */
export interface RequestShape {
	/** End of the path: `/responses` or `/responses/compact`. */
	readonly path: string;
	readonly headers: readonly string[];
	readonly members: readonly string[];
	readonly store: unknown;
	readonly stream: unknown;
	readonly hasCacheKey: boolean;
	readonly input: readonly InputShape[];
}

const HEADERS = [
	"accept",
	"authorization",
	"chatgpt-account-id",
	"content-type",
	"originator",
	"session-id",
	"thread-id",
	"x-client-request-id",
];
const OUTPUT_MAX_CHARS = 1_000;
/** What differs between two runs of one server. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
	[/Chunk ID: \w+/gu, "Chunk ID: <id>"],
	[/Wall time:? [\d.]+/gu, "Wall time <s>"],
	[/session ID \d+/gu, "session ID <n>"],
	[/Original token count: \d+/gu, "Original token count: <n>"],
];

function outputOf(output: unknown, cwd: string): string {
	if (typeof output !== "string") return Array.isArray(output) ? "parts" : typeof output;
	const placed = output.replaceAll(cwd, "<CWD>");
	return CHANGING.reduce((text, [pattern, by]) => text.replace(pattern, by), placed).slice(
		0,
		OUTPUT_MAX_CHARS,
	);
}

function inputOf(item: Json, cwd: string): InputShape {
	const { type, role, name, encrypted_content: encrypted, output } = item;
	return {
		type: String(type),
		...(typeof role === "string" ? { role } : {}),
		...(typeof name === "string" ? { name } : {}),
		...(encrypted ? { encrypted: true as const } : {}),
		...(output === undefined ? {} : { output: outputOf(output, cwd) }),
	};
}

/** The shapes of the requests for an answer; other requests are left out. */
export function shapesOf(requests: readonly ScriptedRequest[], { cwd }: Pick<Homes, "cwd">): RequestShape[] {
	return requests.flatMap(({ method, path, headers, body }) => {
		const end = /\/responses(\/compact)?(?=$|\?)/u.exec(path)?.[0];
		if (method !== "POST" || end === undefined) return [];
		const sent = (body ?? {}) as Json & { input?: Json[] };
		return {
			path: end,
			headers: HEADERS.filter((name) => headers[name] !== undefined),
			members: Object.keys(sent).sort(),
			store: sent["store"],
			stream: sent["stream"],
			hasCacheKey: sent["prompt_cache_key"] !== undefined,
			input: (sent.input ?? []).map((item) => inputOf(item, cwd)),
		};
	});
}

/** From the first user message on; what comes before are each server's own words about itself. */
function conversationOf({ input }: RequestShape): string[] {
	const first = input.findIndex(({ role }) => role === "user");
	return input
		.slice(Math.max(0, first))
		.map(({ type, role, name, encrypted, output }) =>
			[type, role ?? "", name ?? "", encrypted ? "encrypted" : "", output ?? ""].join("|"),
		);
}

function requestDifferences(wants: RequestShape, has: RequestShape, place: string): string[] {
	const lists = (["headers", "members"] as const).flatMap((list) => [
		...wants[list].filter((name) => !has[list].includes(name)).map((name) => `${place}: ${name} is missing`),
		...has[list].filter((name) => !wants[list].includes(name)).map((name) => `${place}: ${name} is too much`),
	]);
	const values = (["path", "store", "stream", "hasCacheKey"] as const)
		.filter((name) => wants[name] !== has[name])
		.map((name) => `${place}: ${name} ${String(wants[name])} expected, ${String(has[name])} sent`);
	const [expected, sent] = [conversationOf(wants), conversationOf(has)];
	const length = Math.max(expected.length, sent.length);
	const first = Array.from({ length }, (_, k) => k).find((k) => expected[k] !== sent[k]);
	if (first === undefined) return [...lists, ...values];
	const [want, found] = [expected[first], sent[first]].map((one) => JSON.stringify(one ?? "nothing"));
	return [...lists, ...values, `${place}, input ${first}: expected ${want}, sent ${found}`];
}

/** What the model could tell apart: number of requests, their members, kind and order of the input, tool outputs. */
export function compareRequests(golden: readonly RequestShape[], actual: readonly RequestShape[]): string[] {
	const counts =
		golden.length === actual.length
			? []
			: [`model requests: ${golden.length} expected, ${actual.length} sent`];
	const each = golden.flatMap((wants, i) => {
		const has = actual[i];
		return has === undefined ? [] : requestDifferences(wants, has, `model request ${i}`);
	});
	return [...counts, ...each];
}
