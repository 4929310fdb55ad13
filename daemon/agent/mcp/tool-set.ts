import { type Clock, waitMs } from "#base/clock.ts";
import type { Tool } from "#daemon/agent/tool.ts";
import type { ToolSetRequest } from "#daemon/agent/tool-source.ts";
import { offersTool } from "./config.ts";
import { createResourceTools } from "./resources.ts";
import { createToolSearch } from "./search.ts";
import type { ManagedServer } from "./server.ts";
import type { ThreadServers } from "./thread-servers.ts";
import { createMcpTool } from "./tool.ts";

/** As long as the real server waits with a turn for servers that still start. */
const START_WAIT_MS = 1_000;

interface ToolSetPorts extends StartWait {
	allowForGood?(server: string, tool: string): Promise<void>;
}

interface StartWait {
	readonly clock: Clock;
	readonly startWaitMs?: number | undefined;
}

/** Resolves when every server has started or failed, and at the latest after the wait. */
export async function waitForStart(
	servers: Iterable<ManagedServer>,
	{ clock, startWaitMs = START_WAIT_MS }: StartWait,
): Promise<void> {
	const waiting = [...servers].filter((server) => server.state.status === "starting");
	if (waiting.length === 0) return;
	const enough = new AbortController();
	const bound = waitMs(clock, startWaitMs, enough.signal).catch(() => undefined);
	await Promise.race([Promise.all(waiting.map((server) => server.settled)), bound]);
	enough.abort();
	await bound;
}

/** Tools of a turn: those for resources, the search where the model has one, then the servers' own by name. */
export async function toolSet(
	{ running, configured, grants }: ThreadServers,
	{ model }: ToolSetRequest,
	ports: ToolSetPorts,
): Promise<readonly Tool[]> {
	const code = model.toolMode === "code";
	if (configured.length === 0 && !code) return [];
	await waitForStart(running.values(), ports);
	const allowForGood = async (server: string, tool: string): Promise<void> =>
		ports.allowForGood?.(server, tool);
	const tools: Tool[] = [];
	for (const server of running.values()) {
		const { config } = server.options;
		const offered = (server.catalogue?.tools ?? []).filter((tool) => offersTool(config, tool.name));
		tools.push(...offered.map((tool) => createMcpTool({ server, tool, model, grants, allowForGood })));
	}
	const sorted = tools.toSorted((one, other) => (one.name < other.name ? -1 : 1));
	const search = model.toolSearch === true && !code ? [createToolSearch(sorted)] : [];
	return [...createResourceTools(() => running), ...search, ...sorted];
}
