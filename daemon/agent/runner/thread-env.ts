/**
 * Variables of the creating client that a thread's commands get (contracts.md 5): what finds programs and speaks the
 * person's language. Nothing that may hold a credential, and nothing of ours.
 */
const ALLOWED: ReadonlySet<string> = new Set([
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"SHELL",
	"LANG",
	"LANGUAGE",
	"TERM",
	"COLORTERM",
	"TZ",
	"TMPDIR",
	"EDITOR",
	"VISUAL",
	"PAGER",
	"NO_COLOR",
	"XDG_CACHE_HOME",
	"XDG_CONFIG_HOME",
	"XDG_DATA_HOME",
	"VIRTUAL_ENV",
	"CONDA_PREFIX",
	"GOPATH",
	"GOROOT",
	"CARGO_HOME",
	"RUSTUP_HOME",
	"JAVA_HOME",
	"NVM_DIR",
	"PNPM_HOME",
	"PYENV_ROOT",
	"RBENV_ROOT",
	"ASDF_DIR",
	"DENO_INSTALL",
	"BUN_INSTALL",
]);

/** Keeps what is on the list, LC_* included; NUL bytes would be refused by exec and are dropped with their variable. */
export function allowedEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
	const kept: Record<string, string> = {};
	for (const [name, value] of Object.entries(env)) {
		if (value === undefined || value.includes("\0")) continue;
		if (ALLOWED.has(name) || /^LC_[A-Z]+$/u.test(name)) kept[name] = value;
	}
	return kept;
}

/** The Codex home of the creating client, by the rule of architecture.md 4; null when it named none. */
export function codexHomeOf(env: Readonly<Record<string, string | undefined>>): string | null {
	return env["HOMIE_CODEX_DIR"] ?? env["CODEX_HOME"] ?? null;
}
