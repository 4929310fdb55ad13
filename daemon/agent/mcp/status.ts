import type { McpServerConfig } from "./config.ts";
import { offersTool } from "./config.ts";
import type { McpConnection } from "./connection.ts";
import type { ManagedServer } from "./server.ts";

/** A row of Codex's `mcpServerStatus/list`. */
export interface McpServerStatus {
	name: string;
	runtimeStatus: string | null;
	pluginId: null;
	httpOrigin: string | null;
	serverInfo: Readonly<Record<string, unknown>> | null;
	serverCapabilities: unknown;
	toolListMeta: null;
	tools: Readonly<Record<string, unknown>>;
	toolsError: string | null;
	resources: readonly unknown[];
	resourceTemplates: readonly unknown[];
	authStatus: string;
}

const RUNTIME: Readonly<Record<string, string>> = {
	starting: "starting",
	ready: "connected",
	failed: "failed",
	cancelled: "cancelled",
};

function originOf(config: McpServerConfig | null): string | null {
	return config?.url !== undefined && URL.canParse(config.url) ? new URL(config.url).origin : null;
}

function authOf(config: McpServerConfig | null): string {
	if (config?.url === undefined) return "unsupported";
	return config.bearer_token_env_var === undefined ? "unknown" : "bearerToken";
}

async function resourcesOf(connection: McpConnection, signal: AbortSignal) {
	if (connection.catalogue.capabilities?.resources === undefined)
		return { resources: [], resourceTemplates: [] };
	const [listed, templates] = await Promise.all([
		connection.listResources(undefined, signal).catch(() => null),
		connection.listResourceTemplates(undefined, signal).catch(() => null),
	]);
	return { resources: listed?.resources ?? [], resourceTemplates: templates?.resourceTemplates ?? [] };
}

function infoOf(connection: McpConnection): Readonly<Record<string, unknown>> | null {
	const { info } = connection.catalogue;
	if (info === null) return null;
	const { name, title = null, version, description = null, icons = null, websiteUrl = null } = info;
	return { name, title, version, description, icons, websiteUrl };
}

export interface StatusRequest {
	readonly name: string;
	readonly config: McpServerConfig | null;
	readonly wrong: string | null;
	/** Null: not enabled, or not usable. */
	readonly server: ManagedServer | null;
	/** Whether it runs for a thread, whose state of it is told. */
	readonly ofThread: boolean;
	readonly withResources: boolean;
	readonly signal: AbortSignal;
}

function runtimeOf({ config, server, ofThread }: StatusRequest): string | null {
	if (!ofThread) return null;
	if (config?.enabled === false) return "disabled";
	return server === null ? "failed" : (RUNTIME[server.state.status] ?? null);
}

/** The row of one server as it is now. */
export async function statusRow(request: StatusRequest): Promise<McpServerStatus> {
	const { name, config, wrong, server, withResources, signal } = request;
	const connection = server?.current ?? null;
	const resources =
		connection !== null && withResources
			? await resourcesOf(connection, signal)
			: { resources: [], resourceTemplates: [] };
	const tools = (connection?.catalogue.tools ?? []).filter(
		(tool) => config !== null && offersTool(config, tool.name),
	);
	return {
		name,
		runtimeStatus: runtimeOf(request),
		pluginId: null,
		httpOrigin: originOf(config),
		serverInfo: connection === null ? null : infoOf(connection),
		serverCapabilities: connection?.catalogue.capabilities ?? null,
		toolListMeta: null,
		tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])),
		toolsError: wrong ?? (server?.state.status === "failed" ? server.state.detail : null),
		...resources,
		authStatus: authOf(config),
	};
}
