import { existsSync } from "node:fs";
import { dirname, join, parse, resolve } from "node:path";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { CodexError, type CodexMethods, INVALID_REQUEST } from "../method.ts";
import {
	anything,
	boolean,
	isObject,
	type JsonObject,
	list,
	oneOf,
	optional,
	string,
	struct,
	withDefault,
} from "../wire/decode.ts";
import { CONFIG_DEFAULTS, PROVIDER_DEFAULTS } from "./config-defaults.ts";
import {
	type ConfigLayer,
	configFileOf,
	leafPaths,
	mergeConfig,
	parseLayer,
	readLayer,
	readTextFile,
	versionOf,
} from "./config-document.ts";
import { type ConfigEdit, editConfig, parseKeyPath } from "./config-edit.ts";

const SYSTEM_CONFIG = "/etc/codex/config.toml";

const readParams = struct("ConfigReadParams", {
	includeLayers: withDefault(boolean, false),
	cwd: optional(string),
});
const edit = { keyPath: string, value: anything, mergeStrategy: oneOf(["replace", "upsert"]) };
const target = { filePath: optional(string), expectedVersion: optional(string) };
const writeParams = struct("ConfigValueWriteParams", { ...edit, ...target });
const batchParams = struct("ConfigBatchWriteParams", { edits: list(struct("ConfigEdit", edit)), ...target });

/** The folder's own config files, nearest first; only those of trusted folders count. */
function projectLayers(cwd: string, user: JsonObject, codexHome: string): ConfigLayer[] {
	const layers: ConfigLayer[] = [];
	const projects = isObject(user["projects"]) ? user["projects"] : {};
	for (let folder = cwd; ; folder = dirname(folder)) {
		const dotCodexFolder = join(folder, ".codex");
		const file = configFileOf(dotCodexFolder);
		const project = projects[folder];
		const trusted = isObject(project) && project["trust_level"] === "trusted";
		if (dotCodexFolder !== codexHome && trusted && existsSync(file))
			layers.push(readLayer(file, { type: "project", dotCodexFolder }));
		if (existsSync(join(folder, ".git")) || folder === parse(folder).root) return layers;
	}
}

/** All layers, the strongest first. */
function readLayers(codexHome: string, cwd: string | null): ConfigLayer[] {
	const file = configFileOf(codexHome);
	const user = readLayer(file, { type: "user", file, profile: null });
	const project = cwd === null ? [] : projectLayers(cwd, user.config, codexHome);
	return [...project, user, readLayer(SYSTEM_CONFIG, { type: "system", file: SYSTEM_CONFIG })];
}

function effective(layers: readonly ConfigLayer[]): JsonObject {
	const said = layers
		.toReversed()
		.reduce((below, { config }) => mergeConfig(below, config), {} as JsonObject);
	const merged = mergeConfig(CONFIG_DEFAULTS, said);
	const providers = isObject(merged["model_providers"]) ? merged["model_providers"] : {};
	const whole = Object.entries(providers).map(([id, provider]) => [
		id,
		isObject(provider) ? { ...PROVIDER_DEFAULTS, ...provider } : provider,
	]);
	return { ...merged, model_providers: Object.fromEntries(whole) };
}

function originsOf(layers: readonly ConfigLayer[]): JsonObject {
	const origins: Record<string, unknown> = {};
	for (const { name, version, config } of layers.toReversed())
		for (const path of leafPaths(config)) origins[path] = { name, version };
	return origins;
}

function refuse(code: string, message: string): CodexError {
	return new CodexError(message, INVALID_REQUEST, { config_write_error_code: code });
}

const TEXTS = new Set([
	"model",
	"model_provider",
	"model_reasoning_effort",
	"approval_policy",
	"sandbox_mode",
]);

function toEdit({
	keyPath,
	value,
	mergeStrategy,
}: {
	keyPath: string;
	value: unknown;
	mergeStrategy: ConfigEdit["strategy"];
}): ConfigEdit {
	if (keyPath.trim() === "") throw refuse("configValidationError", "keyPath must not be empty");
	const path = parseKeyPath(keyPath);
	if (!path) throw refuse("configValidationError", `invalid keyPath: ${keyPath}`);
	const found =
		typeof value === "number"
			? `integer \`${value}\``
			: typeof value === "boolean"
				? `boolean \`${value}\``
				: null;
	if (path.length === 1 && TEXTS.has(path[0] ?? "") && found !== null)
		throw refuse(
			"configValidationError",
			`Invalid configuration: invalid type: ${found}, expected a string\nin \`${path[0]}\`\n`,
		);
	return { path, value, strategy: mergeStrategy };
}

/**
 * The methods that read and write the person's config.toml; writes are atomic and keep comments. `cwd` is what a
 * relative folder of a request is meant from: the real TUI asks for `.`.
 */
export function createConfigMethods(home: { codexHome: string; cwd: string }): CodexMethods {
	const { codexHome } = home;
	const file = configFileOf(codexHome);

	function write(
		edits: readonly Parameters<typeof toEdit>[0][],
		{ filePath, expectedVersion }: { filePath: string | null; expectedVersion: string | null },
	) {
		if (filePath !== null && filePath !== file)
			throw refuse("configLayerReadonly", "Only writes to the user config are allowed");
		const text = readTextFile(file);
		const present = versionOf(parseLayer(text, file));
		if (expectedVersion !== null && expectedVersion !== present)
			throw refuse(
				"configVersionConflict",
				"Configuration was modified since last read. Fetch latest version and retry.",
			);
		const changed = edits.map(toEdit).reduce(editConfig, text);
		const version = versionOf(parseLayer(changed, file));
		if (changed !== text) writeFileAtomic(file, changed);
		return { status: "ok", version, filePath: file, overriddenMetadata: null };
	}

	return {
		"config/read"(params) {
			const { includeLayers, cwd } = readParams.decode(params);
			const layers = readLayers(codexHome, cwd === null ? null : resolve(home.cwd, cwd));
			return {
				config: effective(layers),
				origins: originsOf(layers),
				layers: includeLayers ? layers : null,
			};
		},
		"config/value/write"(params) {
			const { keyPath, value, mergeStrategy, ...rest } = writeParams.decode(params);
			return write([{ keyPath, value, mergeStrategy }], rest);
		},
		"config/batchWrite"(params) {
			const { edits, ...rest } = batchParams.decode(params);
			return write(edits, rest);
		},
		"configRequirements/read": () => ({ supportsIndependentSpeedModes: true, requirements: null }),
	};
}
