import { CONFIG_KEYS } from "#config/schema.ts";
import { defineCommand } from "../descriptor.ts";

const KEY_NAMES = CONFIG_KEYS.map((key) => key.name);

export const configGetCommand = defineCommand({
	program: "weave-codex",
	name: "config get",
	summary: "Print a setting as it applies, or all of them and where each comes from.",
	arguments: [{ name: "key", summary: "name of the setting", required: false, complete: KEY_NAMES }],
	examples: [
		{ command: "weave-codex config get", says: "every setting, its value and its source" },
		{ command: "weave-codex config get gateway.port", says: "one value" },
	],
	json: true,
	async run(context, { args }) {
		const { configKey, readConfig } = await import("#config/read.ts");
		const config = readConfig(context.paths.config, context.env);
		const [name] = args;
		if (name !== undefined) {
			const value = config.get(configKey(name).name as (typeof KEY_NAMES)[number]);
			context.print({ [name]: value }, value === null ? "(unset)" : String(value));
			return 0;
		}
		const rows = CONFIG_KEYS.map((key) => ({
			key: key.name,
			value: config.get(key.name),
			source: config.source(key.name),
			summary: key.summary,
		}));
		context.print(
			rows,
			rows
				.map(
					(row) =>
						`${row.key.padEnd(18)} ${String(row.value ?? "(unset)").padEnd(8)} ${row.source.padEnd(12)} ${row.summary}`,
				)
				.join("\n"),
		);
		return 0;
	},
});

export const configSetCommand = defineCommand({
	program: "weave-codex",
	name: "config set",
	summary: "Keep a setting in config.json; without a value forget it.",
	arguments: [
		{ name: "key", summary: "name of the setting", required: true, complete: KEY_NAMES },
		{ name: "value", summary: "its value; left out: back to the default", required: false },
	],
	examples: [
		{
			command: "weave-codex config set gateway.port 9810",
			says: "the daemon listens there from its next start on",
		},
		{ command: "weave-codex config set gateway.port", says: "back to the default" },
	],
	json: true,
	async run(context, { args }) {
		const { configKey, parseConfigValue, readConfig } = await import("#config/read.ts");
		const key = configKey(args[0] ?? "");
		const value = args[1] === undefined ? undefined : parseConfigValue(key, args[1]);
		// A broken file is reported with its own words before anything is written over it.
		readConfig(context.paths.config, {});
		const { writeConfig } = await import("#config/write.ts");
		writeConfig(context.paths.config, key, value ?? undefined);
		context.print({ [key.name]: value ?? null }, `${key.name} = ${value ?? "(unset)"}`);
		return 0;
	},
});

export const configPathCommand = defineCommand({
	program: "weave-codex",
	name: "config path",
	summary: "Print where the settings are kept.",
	examples: [{ command: "weave-codex config path", says: "~/.homie/config.json" }],
	json: true,
	async run(context) {
		context.print({ path: context.paths.config }, context.paths.config);
		return 0;
	},
});
