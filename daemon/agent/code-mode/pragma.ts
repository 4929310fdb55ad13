/** A script with what its first line asks for; `failed` is what the model is told instead. */
export type ParsedScript =
	| { type: "script"; source: string; yieldMs: number; maxTokens: number }
	| { type: "failed"; message: string };

const DEFAULT_YIELD_MS = 30_000;
/** What a script's output may cost the model unless its first line says otherwise; as with the Codex server. */
export const DEFAULT_MAX_TOKENS = 10_000;

const EMPTY =
	'exec expects raw JavaScript source text (non-empty). Provide JS only, optionally with first-line `// @exec: {"yield_time_ms": 10000, "max_output_tokens": 1000}`.';
const FIELDS = "`yield_time_ms` and `max_output_tokens`";
const PRAGMA = /^[ \t]*\/\/ @exec:([^\r\n]*)(?:\r?\n|$)/;

const failed = (message: string): ParsedScript => ({ type: "failed", message });

function parseOptions(text: string): Record<string, unknown> | string {
	let options: unknown;
	try {
		options = JSON.parse(text);
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		return `exec pragma must be valid JSON with supported fields ${FIELDS}: ${reason}`;
	}
	if (options === null || typeof options !== "object" || Array.isArray(options))
		return `exec pragma must be a JSON object with supported fields ${FIELDS}`;
	return options as Record<string, unknown>;
}

function checkOptions(options: Record<string, unknown>): string | null {
	for (const [name, value] of Object.entries(options)) {
		if (name !== "yield_time_ms" && name !== "max_output_tokens")
			return `exec pragma only supports ${FIELDS}; got \`${name}\``;
		if (!Number.isSafeInteger(value) || Number(value) < 0)
			return `exec pragma fields ${FIELDS} must be non-negative safe integers: invalid number`;
	}
	return null;
}

/** Reads the input of `exec`; lines keep their numbers, so that places in errors are those of what the model wrote. */
export function parseScript(input: string): ParsedScript {
	if (input.trim() === "") return failed(EMPTY);
	const pragma = PRAGMA.exec(input);
	if (pragma === null)
		return { type: "script", source: input, yieldMs: DEFAULT_YIELD_MS, maxTokens: DEFAULT_MAX_TOKENS };
	if (input.slice(pragma[0].length).trim() === "")
		return failed("exec pragma must be followed by JavaScript source on subsequent lines");
	const options = parseOptions(pragma[1] ?? "");
	if (typeof options === "string") return failed(options);
	const wrong = checkOptions(options);
	if (wrong !== null) return failed(wrong);
	return {
		type: "script",
		source: input,
		yieldMs: Number(options["yield_time_ms"] ?? DEFAULT_YIELD_MS),
		maxTokens: Number(options["max_output_tokens"] ?? DEFAULT_MAX_TOKENS),
	};
}
