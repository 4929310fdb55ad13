/** One setting a person may keep in config.json; read with precedence flag > environment > this file > default. */
export interface ConfigKey {
	readonly name: string;
	readonly summary: string;
	readonly env: string;
	/** JSON Schema of the value, for conf. */
	readonly schema: {
		readonly type: "number" | "boolean" | "string";
		readonly enum?: readonly string[];
		readonly minimum?: number;
		readonly maximum?: number;
		readonly pattern?: string;
	};
	/** Shown by `config get` where nothing is set. */
	readonly fallback: string | number | boolean | null;
}

/** The whole table: `config get|set`, the docs and the checks come from it. */
export const CONFIG_KEYS = [
	{
		name: "gateway.port",
		summary: "TCP port on 127.0.0.1; unset: 9800, or a free one when that is taken.",
		env: "HOMIE_PORT",
		schema: { type: "number", minimum: 1, maximum: 65_535 },
		fallback: null,
	},
	{
		name: "gateway.web",
		summary: "Listen on TCP at all (HTTP and WebSocket); off is the same as start --no-web.",
		env: "HOMIE_WEB",
		schema: { type: "boolean" },
		fallback: true,
	},
	{
		name: "log.level",
		summary: "What the daemon's log keeps.",
		env: "HOMIE_LOG_LEVEL",
		schema: { type: "string", enum: ["debug", "info", "warn", "error"] },
		fallback: "info",
	},
	{
		name: "terminal.prefix",
		summary: "Prefix key of homie attach, as ^] or C-a; not Tab, Enter, Escape or Ctrl+C.",
		env: "HOMIE_PREFIX",
		schema: { type: "string", pattern: "^(\\^|[Cc]-)[ABD-HK-LN-Zabd-hk-ln-z\\]\\\\^_]$" },
		fallback: "^]",
	},
] as const satisfies readonly ConfigKey[];

export type ConfigName = (typeof CONFIG_KEYS)[number]["name"];
