import { createHash } from "node:crypto";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { AppError } from "#base/app-error.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Linux allows 107 bytes in a socket path (sun_path less its NUL). */
export const SOCKET_PATH_MAX_BYTES = 107;

/** Every place the product keeps something (architecture.md 4). */
export interface Paths {
	readonly home: string;
	readonly weaveHome: string;
	readonly codexHome: string;
	readonly database: string;
	readonly discovery: string;
	readonly lock: string;
	readonly token: string;
	readonly machineId: string;
	readonly logs: string;
	readonly config: string;
	readonly daemonSocket: string;
	/** The Codex app-server protocol. */
	readonly codexSocket: string;
	readonly ptySocket: string;
	readonly coordSocket: string;
	readonly weaveLock: string;
	/** Folder of sockets whose own path would be too long; equal to `home` when none is. */
	readonly runtime: string;
}

function expand(name: string, value: string, env: Env): string {
	const trimmed = value.trim();
	if (trimmed === "")
		throw new AppError("CONFIG_INVALID", `${name} is set but blank. Unset it, or set it to a folder.`);
	const user = env["HOME"] ?? homedir();
	if (trimmed === "~") return user;
	if (trimmed.startsWith("~/")) return join(user, trimmed.slice(2));
	return resolve(trimmed);
}

function homeOf(env: Env, name: string, fallback: string): string {
	const value = env[name];
	return value === undefined ? expand(name, `~/${fallback}`, env) : expand(name, value, env);
}

/**
 * Resolves all paths from the environment; touches no file. Sockets whose path is over 107 bytes move to a short
 * per-home folder under XDG_RUNTIME_DIR or the temp folder.
 * @throws AppError CONFIG_INVALID when a home variable is set but blank.
 */
export function resolvePaths(env: Env): Paths {
	const home = homeOf(env, "HOMIE_HOME", ".homie");
	const weaveHome = homeOf(env, "WEAVE_HOME", ".weave");
	const codexHome =
		env["HOMIE_CODEX_DIR"] === undefined
			? homeOf(env, "CODEX_HOME", ".codex")
			: homeOf(env, "HOMIE_CODEX_DIR", ".codex");
	const runtimeDir = env["XDG_RUNTIME_DIR"] ?? "";
	// A relative one would mean another folder in each process; the standard has it ignored.
	const shortRoot = isAbsolute(runtimeDir) ? runtimeDir : tmpdir();
	function socket(folder: string, name: string): string {
		const direct = join(folder, name);
		if (Buffer.byteLength(direct) <= SOCKET_PATH_MAX_BYTES) return direct;
		const digest = createHash("sha256").update(folder).digest("hex").slice(0, 16);
		return join(shortRoot, `weave-codex-${digest}`, name);
	}
	const daemonSocket = socket(home, "daemon.sock");
	return {
		home,
		weaveHome,
		codexHome,
		database: join(home, "homie.db"),
		discovery: join(home, "daemon.json"),
		lock: join(home, "daemon.lock"),
		token: join(home, "token"),
		machineId: join(home, "machine-id"),
		logs: join(home, "logs"),
		config: join(home, "config.json"),
		daemonSocket,
		codexSocket: socket(home, "codex.sock"),
		ptySocket: socket(home, "pty.sock"),
		coordSocket: socket(weaveHome, "coord.sock"),
		weaveLock: join(weaveHome, "bus.lock"),
		runtime: resolve(daemonSocket, ".."),
	};
}
