import type { AccountPort } from "#daemon/agent/account/port.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import type { CodexMethods, InstallationMethods } from "../method.ts";
import { CodexError } from "../method.ts";
import { isObject, string, struct } from "../wire/decode.ts";
import { createAccountMethods } from "./account-methods.ts";
import { createCommandMethods } from "./command-methods.ts";
import { configFileOf, parseLayer, readTextFile } from "./config-document.ts";
import { createConfigMethods } from "./config-methods.ts";
import { createFileMethods } from "./file-methods.ts";
import { createFixedMethods } from "./fixed-methods.ts";
import { createFuzzyMethods } from "./fuzzy-methods.ts";
import { createGitMethods, type RunGit } from "./git-methods.ts";
import { createModelMethods } from "./model-methods.ts";
import { createSkillMethods } from "./skill-methods.ts";

/** The MCP servers of config.toml, as `mcpServerStatus/list` and its neighbours see them. */
export interface McpStatusPort {
	/** Codex `McpServerStatus` rows. */
	list(): Promise<readonly unknown[]> | readonly unknown[];
	/** Reads config.toml anew. */
	reload(): Promise<void>;
}

export interface InstallationPorts {
	readonly codexHome: string;
	/** Folder of the process: the default where a request names none. */
	readonly cwd: string;
	readonly environment: Environment;
	/** Homes of ours that `fs/*` opens for nobody. */
	readonly secretFolders?: readonly string[] | undefined;
	readonly account: AccountPort;
	/** Absent: no MCP servers. */
	readonly mcp?: McpStatusPort | undefined;
	readonly git: RunGit;
}

const loginParams = struct("McpServerOauthLoginParams", { name: string });

function createMcpMethods(mcp: McpStatusPort | undefined): CodexMethods {
	return {
		"mcpServerStatus/list": async () => ({ data: (await mcp?.list()) ?? [], nextCursor: null }),
		async "config/mcpServer/reload"() {
			await mcp?.reload();
			return {};
		},
		"mcpServer/oauth/login"(params) {
			throw new CodexError(`No MCP server named '${loginParams.decode(params).name}' found.`);
		},
	};
}

function sandboxOf(codexHome: string) {
	const file = configFileOf(codexHome);
	const config = parseLayer(readTextFile(file), file);
	const mode = isObject(config) ? config["sandbox_mode"] : undefined;
	return mode === "read-only" || mode === "danger-full-access" ? mode : "workspace-write";
}

/** Every method about the installation; each reads the files as they are when it is asked. */
export function createInstallationMethods(ports: InstallationPorts): InstallationMethods {
	const { codexHome, cwd, environment } = ports;
	return {
		...createFixedMethods(ports),
		...createConfigMethods(ports),
		...createModelMethods(ports),
		...createAccountMethods(ports.account),
		...createFileMethods(ports.secretFolders),
		...createFuzzyMethods(),
		...createCommandMethods({ environment, cwd, sandboxMode: () => sandboxOf(codexHome) }),
		...createSkillMethods(ports),
		...createGitMethods(ports),
		...createMcpMethods(ports.mcp),
	};
}
