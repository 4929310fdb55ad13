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

/** The value that `text` spells, not yet checked; what it cannot spell stays text. */
function spelled(key: ConfigKey, text: string): unknown {
	if (key.schema.type === "number")
		return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
	if (key.schema.type === "boolean") return { true: true, false: false, "1": true, "0": false }[text] ?? text;
	return text;
}

/** @throws AppError CONFIG_INVALID, with `typed` in its data, when `text` is not what the key takes. */
export function parseConfigValue(key: ConfigKey, text: string): Value {
	const value = spelled(key, text);
	if (!isRight(key, value))
		throw new AppError("CONFIG_INVALID", `${key.name} takes ${wanted(key)}, not ${text}.`, {
			data: { typed: true },
		});
	return value;
}

function isRight({ schema }: ConfigKey, value: unknown): value is Value {
	if (typeof value === "number")
		return (
			schema.type === "number" &&
			value >= (schema.minimum ?? -Infinity) &&
			value <= (schema.maximum ?? Infinity)
		);
	if (typeof value !== schema.type) return false;
	if (typeof value !== "string") return true;
	return (
		(schema.enum === undefined || schema.enum.includes(value)) &&
		(schema.pattern === undefined || new RegExp(schema.pattern).test(value))
	);
}

function wanted({ schema, fallback }: ConfigKey): string {
	if (schema.enum) return `one of ${schema.enum.join(", ")}`;
	if (schema.minimum !== undefined) return `a number from ${schema.minimum} to ${schema.maximum ?? "any"}`;
	if (schema.type === "boolean") return "true or false";
	return schema.pattern === undefined ? "a text" : `a control key such as ${String(fallback)}`;
}

function checked(key: ConfigKey, value: unknown, source: string): Value {
	if (isRight(key, value)) return value;
	throw new AppError(
		"CONFIG_INVALID",
		`${key.name} in ${source} must be ${wanted(key)}; it is ${JSON.stringify(value) ?? "nothing"}.`,
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
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENOTDIR") return {};
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
			return { value: checked(key, spelled(key, fromEnv), `$${key.env}`), source: "environment" };
		const stored = lookup(tree, name);
		if (stored === undefined) return { value: key.fallback, source: "default" };
		return { value: checked(key, stored, path), source: "file" };
	}
	return { get: (name) => find(name).value, source: (name) => find(name).source };
}
