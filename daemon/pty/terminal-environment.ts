import { basename } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** What a terminal's program gets of the daemon's own environment: no token, no key, nothing unheard of. */
const FROM_DAEMON = [
	"HOME",
	"USER",
	"LOGNAME",
	"SHELL",
	"PATH",
	"LANG",
	"TZ",
	"SSH_AUTH_SOCK",
	"DISPLAY",
	"WAYLAND_DISPLAY",
	"XDG_RUNTIME_DIR",
	"TMPDIR",
];
/** What a client may set: its own values of these, and how it likes its editors and pagers. */
const FROM_CLIENT = new Set([
	...FROM_DAEMON,
	"EDITOR",
	"VISUAL",
	"PAGER",
	"LESS",
	"NO_COLOR",
	"FORCE_COLOR",
	"TERM_PROGRAM",
	"VIRTUAL_ENV",
]);

const isLocale = (name: string): boolean => /^LC_[A-Z]+$/.test(name) || name === "LANGUAGE";

/** Of a client's variables those that may reach a program; for `env` of terminal.session.start. */
export function allowedClientEnvironment(env: Env): Record<string, string> {
	const out: Record<string, string> = {};
	for (const [name, value] of Object.entries(env)) {
		if (value !== undefined && (FROM_CLIENT.has(name) || isLocale(name))) out[name] = value;
	}
	return out;
}

/** The whole environment of a terminal's program. */
export function terminalEnvironment(
	daemonEnv: Env,
	clientEnv: Env,
	sessionId: string,
): Record<string, string> {
	const own: Record<string, string> = {};
	for (const [name, value] of Object.entries(daemonEnv)) {
		if (value !== undefined && (FROM_DAEMON.includes(name) || isLocale(name))) own[name] = value;
	}
	return {
		PATH: "/usr/local/bin:/usr/bin:/bin",
		...own,
		...allowedClientEnvironment(clientEnv),
		TERM: "xterm-256color",
		COLORTERM: "truecolor",
		HOMIE_SESSION: sessionId,
	};
}

/** The login shell, as a login shell. `exists` says whether a path can be run. */
export function loginShell(env: Env, exists: (path: string) => boolean): string[] {
	const shell = [env["SHELL"], "/bin/bash", "/bin/sh"].find(
		(path) => path !== undefined && path !== "" && exists(path),
	);
	return [shell ?? "/bin/sh", "-l"];
}

/** The program's short name, as far as a terminal's name may hold it. */
export function defaultName(argv: readonly string[]): string {
	const name = basename(argv[0] ?? "")
		.replace(/[^A-Za-z0-9._-]/g, "")
		.slice(0, 48);
	return name === "" ? "terminal" : name;
}
