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
	{
		name: "budget.day.tokens",
		summary: "Tokens, of input and output, that a day may cost; unset: no limit.",
		env: "HOMIE_BUDGET_DAY_TOKENS",
		schema: { type: "number", minimum: 0 },
		fallback: null,
	},
	{
		name: "budget.day.usd",
		summary: "Dollars at list prices that a day may cost; unset: no limit.",
		env: "HOMIE_BUDGET_DAY_USD",
		schema: { type: "number", minimum: 0 },
		fallback: null,
	},
	{
		name: "budget.day.turns",
		summary: "Turns that a day may have; unset: no limit.",
		env: "HOMIE_BUDGET_DAY_TURNS",
		schema: { type: "number", minimum: 0 },
		fallback: null,
	},
	{
		name: "budget.thread.tokens",
		summary: "Tokens, of input and output, that a thread may cost; unset: no limit.",
		env: "HOMIE_BUDGET_THREAD_TOKENS",
		schema: { type: "number", minimum: 0 },
		fallback: null,
	},
	{
		name: "budget.thread.usd",
		summary: "Dollars at list prices that a thread may cost; unset: no limit.",
		env: "HOMIE_BUDGET_THREAD_USD",
		schema: { type: "number", minimum: 0 },
		fallback: null,
	},
	{
		name: "budget.thread.turns",
		summary: "Turns that a thread may have; unset: no limit.",
		env: "HOMIE_BUDGET_THREAD_TURNS",
		schema: { type: "number", minimum: 0 },
		fallback: null,
	},
	{
		name: "titles.enabled",
		summary: "Let a model name threads after their first turn; unset: when a real model is logged in.",
		env: "HOMIE_TITLES",
		schema: { type: "boolean" },
		fallback: null,
	},
	{
		name: "background.provider",
		summary: "Provider for titles, summaries and commit messages; unset: that of the thread.",
		env: "HOMIE_BACKGROUND_PROVIDER",
		schema: { type: "string" },
		fallback: null,
	},
	{
		name: "background.model",
		summary: "Model for titles, summaries and commit messages; unset: a small one of the provider.",
		env: "HOMIE_BACKGROUND_MODEL",
		schema: { type: "string" },
		fallback: null,
	},
] as const satisfies readonly ConfigKey[];

export type ConfigName = (typeof CONFIG_KEYS)[number]["name"];
