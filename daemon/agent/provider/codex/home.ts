import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "#base/app-error.ts";
import { type Login, parseAuth } from "./auth.ts";
import { type CodexConfig, EMPTY_CONFIG, parseConfig } from "./config.ts";

/** What Codex's own home says now. */
export interface CodexSettings {
	readonly config: CodexConfig;
	/** Text of config.toml, for line numbers; empty when there is none. */
	readonly configText: string;
	readonly configFile: string;
	readonly login: Login;
}

/** Reads Codex's home, again when a file has changed. */
export interface CodexHome {
	/** @throws AppError CONFIG_INVALID when a file is there and cannot be read or parsed. */
	read(): CodexSettings;
}

const isMissing = (error: unknown): boolean => {
	const code = (error as NodeJS.ErrnoException).code;
	return code === "ENOENT" || code === "ENOTDIR";
};

/** What tells one version of a file from the next; null when there is no file. */
function stampOf(file: string): string | null {
	const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
	return stat === undefined ? null : `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

/** Keeps what a file parsed to until its time, size or inode changes; a mistake is not kept. */
function createCachedFile<T>(file: string, parse: (text: string | null) => T): () => T {
	let cached: { stamp: string | null; value: T } | null = null;

	function load(): T {
		const stamp = stampOf(file);
		if (cached === null || cached.stamp !== stamp) {
			cached = { stamp, value: parse(stamp === null ? null : readFileSync(file, "utf8")) };
		}
		return cached.value;
	}
	return () => {
		try {
			return load();
		} catch (error) {
			if (error instanceof AppError) throw error;
			if (isMissing(error)) return parse(null);
			const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
			throw new AppError("CONFIG_INVALID", `${file}: cannot be read (${code}).`, { data: { file } });
		}
	};
}

/** Synchronous on purpose: two small files, and a change must count from the very next request. */
export function createCodexHome(dir: string): CodexHome {
	const configFile = join(dir, "config.toml");
	const authFile = join(dir, "auth.json");
	const config = createCachedFile(configFile, (text) => ({
		text: text ?? "",
		config: text === null ? EMPTY_CONFIG : parseConfig(text, configFile),
	}));
	const login = createCachedFile<Login>(authFile, (text) =>
		text === null ? { kind: "none" } : parseAuth(text, authFile),
	);
	return {
		read() {
			const { text, config: parsed } = config();
			return { config: parsed, configText: text, configFile, login: login() };
		},
	};
}
