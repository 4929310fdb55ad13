import { z } from "zod";

const stringMap = z.record(z.string(), z.string());
const approvalModeSchema = z.enum(["auto", "prompt", "approve"]).catch("auto");

const serverSchema = z.looseObject({
	command: z.string().min(1).optional(),
	args: z.array(z.string()).default([]),
	env: stringMap.default({}),
	/** Names that are taken from the thread's environment. */
	env_vars: z
		.array(z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)]))
		.default([]),
	cwd: z.string().optional(),
	url: z.string().min(1).optional(),
	bearer_token_env_var: z.string().min(1).optional(),
	http_headers: stringMap.default({}),
	/** Header → name of the variable with its value. */
	env_http_headers: stringMap.default({}),
	startup_timeout_sec: z.number().positive().optional(),
	startup_timeout_ms: z.number().positive().optional(),
	tool_timeout_sec: z.number().positive().default(300),
	enabled: z.boolean().default(true),
	required: z.boolean().default(false),
	enabled_tools: z.array(z.string()).optional(),
	disabled_tools: z.array(z.string()).default([]),
	default_tools_approval_mode: approvalModeSchema.optional(),
	tools: z.record(z.string(), z.looseObject({ approval_mode: approvalModeSchema.optional() })).default({}),
});
export type McpServerConfig = z.infer<typeof serverSchema>;

const DEFAULT_STARTUP_MS = 30_000;

/** A server of `[mcp_servers]`, or why its table cannot be used. */
export type ConfiguredServer =
	| { name: string; config: McpServerConfig; wrong: null }
	| { name: string; config: null; wrong: string };

const isTable = (value: unknown): value is Record<string, unknown> =>
	value !== null && typeof value === "object" && !Array.isArray(value);

/** Puts `value` at a dotted path, making tables on the way; what is there is merged when both are tables. */
function place(
	table: Record<string, unknown>,
	path: readonly string[],
	value: unknown,
): Record<string, unknown> {
	const [first, ...rest] = path;
	if (first === undefined) return isTable(value) ? merge(table, value) : table;
	const old = table[first];
	if (rest.length > 0) return { ...table, [first]: place(isTable(old) ? old : {}, rest, value) };
	return { ...table, [first]: isTable(old) && isTable(value) ? merge(old, value) : value };
}

function merge(table: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
	return Object.entries(over).reduce((merged, [name, value]) => place(merged, [name], value), table);
}

/** The thread's own overrides (`settings.config`) over the table of config.toml; both nested and dotted keys count. */
function withOverrides(
	table: unknown,
	overrides: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
	let merged = isTable(table) ? table : {};
	for (const [key, value] of Object.entries(overrides ?? {})) {
		const [head, ...path] = key.split(".");
		if (head === "mcp_servers") merged = place(merged, path, value);
	}
	return merged;
}

function check(config: McpServerConfig): string | null {
	if ((config.command === undefined) === (config.url === undefined))
		return "it needs either a command or a url";
	return null;
}

/** The servers of a thread, by name, sorted; one that is wrong does not take the others with it. */
export function parseServers(
	table: unknown,
	overrides: Readonly<Record<string, unknown>> | undefined,
): readonly ConfiguredServer[] {
	return Object.entries(withOverrides(table, overrides))
		.toSorted(([one], [other]) => (one < other ? -1 : 1))
		.map(([name, value]): ConfiguredServer => {
			const parsed = serverSchema.safeParse(value);
			if (!parsed.success) {
				const [issue] = parsed.error.issues;
				return {
					name,
					config: null,
					wrong: `invalid configuration: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
				};
			}
			const wrong = check(parsed.data);
			return wrong === null ? { name, config: parsed.data, wrong } : { name, config: null, wrong };
		});
}

/** How long a server may take to start; seconds win where both members are given. */
export function startupTimeoutMs(config: McpServerConfig): number {
	if (config.startup_timeout_sec !== undefined) return config.startup_timeout_sec * 1000;
	return config.startup_timeout_ms ?? DEFAULT_STARTUP_MS;
}

/** Whether config.toml lets the tool be offered. */
export function offersTool(config: McpServerConfig, tool: string): boolean {
	return (config.enabled_tools?.includes(tool) ?? true) && !config.disabled_tools.includes(tool);
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The variables a server gets: these of the thread's, and what its table names. */
const PASSED = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ"];

/** Those variables of the thread's that make a difference for the server. */
export function neededVariables(config: McpServerConfig, env: Variables): Record<string, string> {
	const token = config.bearer_token_env_var === undefined ? [] : [config.bearer_token_env_var];
	const names = [...PASSED, ...config.env_vars, ...token, ...Object.values(config.env_http_headers)];
	const needed: Record<string, string> = {};
	for (const name of names) if (env[name] !== undefined) needed[name] = env[name];
	return needed;
}

/** A clean environment: nothing that authenticates us, unless the person's own table names it. */
export function serverEnvironment(config: McpServerConfig, env: Variables): Record<string, string> {
	const kept: Record<string, string> = {};
	for (const name of [...PASSED, ...config.env_vars]) {
		const value = env[name];
		if (value !== undefined) kept[name] = value;
	}
	return { ...kept, ...config.env };
}

/** Headers for an HTTP server. @throws Error naming the variable that is not set. */
export function serverHeaders(config: McpServerConfig, env: Variables): Record<string, string> {
	const headers = { ...config.http_headers };
	for (const [header, name] of Object.entries(config.env_http_headers)) {
		const value = env[name];
		if (value !== undefined && value !== "") headers[header] = value;
	}
	const { bearer_token_env_var: tokenName } = config;
	if (tokenName === undefined) return headers;
	const token = env[tokenName];
	if (token === undefined || token === "")
		throw new Error(`Environment variable ${tokenName} for the server's bearer token is not set`);
	return { ...headers, Authorization: `Bearer ${token}` };
}
