import { AppError } from "#base/app-error.ts";

/** Dotted keys of config.toml with their values. */
export type Overrides = Readonly<Record<string, unknown>>;

interface OverrideWords {
	/** Of `-c`, each `key=value`. */
	config: readonly string[];
	enable: readonly string[];
	disable: readonly string[];
}

/**
 * Understands the words of `-c`, `--enable` and `--disable`; a value that is no TOML is a text.
 * @throws AppError USAGE when a word has no `=`.
 */
export function parseOverrides(words: OverrideWords, parseValue: (text: string) => unknown): Overrides {
	const found: Record<string, unknown> = {};
	for (const word of words.config) {
		const at = word.indexOf("=");
		const key = word.slice(0, Math.max(0, at)).trim();
		if (key === "") throw new AppError("USAGE", `-c takes key=value, not ${word}.`);
		const text = word.slice(at + 1).trim();
		found[key] = parseValue(text) ?? text.replace(/^(["'])(.*)\1$/, "$2");
	}
	for (const name of words.enable) found[`features.${name}`] = true;
	for (const name of words.disable) found[`features.${name}`] = false;
	return found;
}

const METHODS_WITH_CONFIG = ["thread/start", "thread/resume", "thread/fork"];

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Puts the overrides below what the client's own `config` says, in the requests that take one; every other line is left as it is. */
export function overrideLine(line: string, overrides: Overrides): string {
	if (!METHODS_WITH_CONFIG.some((method) => line.includes(`"${method}"`))) return line;
	let message: unknown;
	try {
		message = JSON.parse(line);
	} catch {
		return line;
	}
	if (!isRecord(message) || !METHODS_WITH_CONFIG.includes(String(message["method"]))) return line;
	const params = isRecord(message["params"]) ? message["params"] : {};
	const own = isRecord(params["config"]) ? params["config"] : {};
	return JSON.stringify({ ...message, params: { ...params, config: { ...overrides, ...own } } });
}
