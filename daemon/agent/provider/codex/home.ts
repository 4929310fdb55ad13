import { join } from "node:path";
import { type Login, parseAuth } from "#daemon/agent/account/auth-file.ts";
import { createCachedFile } from "#daemon/agent/account/cached-file.ts";
import { type CodexConfig, EMPTY_CONFIG, parseConfig } from "./config.ts";

/** What Codex's own home says now. */
export interface CodexSettings {
	readonly config: CodexConfig;
	/** Text of config.toml, for line numbers; empty when there is none. */
	readonly configText: string;
	readonly configFile: string;
	readonly login: Login;
	/** Of this installation of Codex, where the Codex CLI made one; sent with requests as it does. */
	readonly installationId: string | null;
}

/** Reads Codex's home, again when a file has changed. */
export interface CodexHome {
	/** @throws AppError CONFIG_INVALID when a file is there and cannot be read or parsed. */
	read(): CodexSettings;
}

/** `login`: who keeps the login, where somebody does beside the file. */
export function createCodexHome(dir: string, login?: () => Login): CodexHome {
	const configFile = join(dir, "config.toml");
	const authFile = join(dir, "auth.json");
	const config = createCachedFile(configFile, (text) => ({
		text: text ?? "",
		config: text === null ? EMPTY_CONFIG : parseConfig(text, configFile),
	}));
	const fileLogin = createCachedFile<Login>(authFile, (text) =>
		text === null ? { kind: "none" } : parseAuth(text, authFile),
	);
	const installation = createCachedFile(join(dir, "installation_id"), (text) => text?.trim() || null);
	return {
		read() {
			const { text, config: parsed } = config();
			return {
				config: parsed,
				configText: text,
				configFile,
				login: (login ?? fileLogin)(),
				installationId: installation(),
			};
		},
	};
}
