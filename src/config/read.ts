import { readFileSync } from "node:fs";
import { AppError } from "#base/app-error.ts";
import { CONFIG_KEYS, type ConfigKey, type ConfigName } from "./schema.ts";

type Value = string | number | boolean | null;
type Env = Readonly<Record<string, string | undefined>>;

function lookup(tree: unknown, name: string): unknown {
	let at: unknown = tree;
	for (const part of name.split(".")) {
		if (typeof at !== "object" || at === null) return undefined;
		at = (at as Record<string, unknown>)[part];
	}
	return at;
}

/** @throws AppError CONFIG_INVALID when `text` is not what the key takes. */
export function parseConfigValue(key: ConfigKey, text: string, source: string): Value {
	const value =
		key.schema.type === "number"
			? Number(text)
			: key.schema.type === "boolean"
				? { true: true, false: false, "1": true, "0": false }[text]
				: text;
	checkConfigValue(key, value, source);
	return value as Value;
}

function checkConfigValue(key: ConfigKey, value: unknown, source: string): void {
	const { type, minimum, maximum } = key.schema;
	const choices = key.schema.enum;
	const wanted = choices
		? choices.join(", ")
		: minimum === undefined
			? `a ${type}`
			: `a number from ${minimum} to ${maximum}`;
	const right =
		typeof value === type &&
		!Number.isNaN(value) &&
		(choices === undefined || choices.includes(String(value))) &&
		(typeof value !== "number" || (value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)));
	if (!right)
		throw new AppError(
			"CONFIG_INVALID",
			`${key.name} in ${source} must be ${wanted}; it is ${JSON.stringify(value) ?? "nothing"}.`,
		);
}

/** Finds a key by its name. @throws AppError USAGE naming the keys there are. */
export function configKey(name: string): ConfigKey {
	const key = CONFIG_KEYS.find((candidate) => candidate.name === name);
	if (!key)
		throw new AppError(
			"USAGE",
			`There is no setting ${name}; there are ${CONFIG_KEYS.map((candidate) => candidate.name).join(", ")}.`,
		);
	return key;
}

function readTree(path: string): unknown {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
		throw new AppError("CONFIG_INVALID", `${path} cannot be read: ${(error as Error).message}.`, {
			cause: error,
		});
	}
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new AppError("CONFIG_INVALID", `${path} is not JSON: ${(error as Error).message}.`, {
			cause: error,
		});
	}
}

/** Settings as they apply: the environment over config.json over the defaults; where each comes from is told too. */
export function readConfig(
	path: string,
	env: Env,
): { get(name: ConfigName): Value; source(name: ConfigName): "environment" | "file" | "default" } {
	const tree = readTree(path);
	function find(name: string): { value: Value; source: "environment" | "file" | "default" } {
		const key = configKey(name);
		const fromEnv = env[key.env];
		if (fromEnv !== undefined && fromEnv !== "")
			return { value: parseConfigValue(key, fromEnv, `$${key.env}`), source: "environment" };
		const stored = lookup(tree, name);
		if (stored === undefined) return { value: key.fallback, source: "default" };
		checkConfigValue(key, stored, path);
		return { value: stored as Value, source: "file" };
	}
	return { get: (name) => find(name).value, source: (name) => find(name).source };
}
