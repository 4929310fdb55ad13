import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseToml } from "#daemon/agent/provider/toml.ts";
import { CodexError, INTERNAL_ERROR } from "../method.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";

/** A config file as a layer of the effective configuration. */
export interface ConfigLayer {
	readonly name: JsonObject;
	readonly version: string;
	readonly config: JsonObject;
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (!isObject(value)) return value;
	const names = Object.keys(value).toSorted();
	return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
}

/** Digest of what a layer says, whatever its order and comments. */
export function versionOf(config: JsonObject): string {
	return `sha256:${createHash("sha256")
		.update(JSON.stringify(sorted(config)))
		.digest("hex")}`;
}

/** Text of a file; empty when there is none. */
export function readTextFile(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		const code = error instanceof Error && "code" in error ? error.code : undefined;
		if (code === "ENOENT" || code === "ENOTDIR") return "";
		throw error;
	}
}

/** @throws CodexError when the text is no TOML. */
export function parseLayer(text: string, file: string): JsonObject {
	try {
		return parseToml(text);
	} catch (error) {
		const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
		throw new CodexError(`failed to read configuration layers: ${file}: ${why}`, INTERNAL_ERROR);
	}
}

export function readLayer(file: string, name: JsonObject): ConfigLayer {
	const config = parseLayer(readTextFile(file), file);
	return { name, version: versionOf(config), config };
}

/** config.toml of a Codex home. */
export function configFileOf(codexHome: string): string {
	return join(codexHome, "config.toml");
}

/** Tables are merged, everything else is replaced by what lies above. */
export function mergeConfig(below: JsonObject, above: JsonObject): JsonObject {
	const merged: Record<string, unknown> = { ...below };
	for (const [name, value] of Object.entries(above)) {
		const present = merged[name];
		merged[name] = isObject(present) && isObject(value) ? mergeConfig(present, value) : value;
	}
	return merged;
}

/** Dotted paths of all values that are no tables. */
export function leafPaths(config: JsonObject, prefix = ""): string[] {
	return Object.entries(config).flatMap(([name, value]) =>
		isObject(value) ? leafPaths(value, `${prefix}${name}.`) : [`${prefix}${name}`],
	);
}
