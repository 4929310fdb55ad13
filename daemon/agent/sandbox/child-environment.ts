import { delimiter, isAbsolute } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** What a command needs to find its programs, its person and their tongue; nothing that authenticates. */
const ALLOWED = new Set([
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"SHELL",
	"LANG",
	"LANGUAGE",
	"TZ",
	"TERM",
	"COLORTERM",
	"NO_COLOR",
	"FORCE_COLOR",
	"CI",
	"TMPDIR",
	"PWD",
	"EDITOR",
	"VISUAL",
	"PAGER",
	"HOSTNAME",
	"COLUMNS",
	"LINES",
	"NVM_DIR",
	"NVM_BIN",
	"VOLTA_HOME",
	"FNM_DIR",
	"PNPM_HOME",
	"BUN_INSTALL",
	"DENO_INSTALL",
	"NODE_ENV",
	"CARGO_HOME",
	"RUSTUP_HOME",
	"RUSTUP_TOOLCHAIN",
	"GOPATH",
	"GOROOT",
	"GOCACHE",
	"GOFLAGS",
	"JAVA_HOME",
	"MAVEN_HOME",
	"GRADLE_HOME",
	"VIRTUAL_ENV",
	"CONDA_PREFIX",
	"CONDA_DEFAULT_ENV",
	"PYENV_ROOT",
	"PYTHONPATH",
	"RBENV_ROOT",
	"GEM_HOME",
	"SDKMAN_DIR",
	"ASDF_DIR",
	"XDG_CONFIG_HOME",
	"XDG_CACHE_HOME",
	"XDG_DATA_HOME",
	"XDG_STATE_HOME",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"NODE_EXTRA_CA_CERTS",
	"NIX_PATH",
	"NIX_PROFILES",
	"NIX_SSL_CERT_FILE",
	"NIX_LD",
	"NIX_LD_LIBRARY_PATH",
	"CODEX_THREAD_ID",
]);
/** As the reference server has it: plain text in one encoding, and a name by which programs know that an agent runs them. */
const QUIET = {
	TERM: "dumb",
	COLORTERM: "",
	NO_COLOR: "1",
	PAGER: "cat",
	GIT_PAGER: "cat",
	GH_PAGER: "cat",
	LANG: "C.UTF-8",
	LC_ALL: "C.UTF-8",
	LC_CTYPE: "C.UTF-8",
	CODEX_CI: "1",
};
/** Locale categories; other names that begin like these are used to carry secrets over ssh. */
const LOCALE = /^LC_[A-Z]+$/;

/**
 * The variables that a command of an agent may see: an allow-list, so that a token nobody thought of stays out.
 * Colour and paging are turned off, because nobody looks at a terminal.
 */
export function childEnvironment(env: Env): Record<string, string> {
	const kept: Record<string, string> = {};
	for (const [name, value] of Object.entries(env)) {
		if (value === undefined) continue;
		if (ALLOWED.has(name) || LOCALE.test(name)) kept[name] = name === "PATH" ? absoluteOnly(value) : value;
	}
	return { ...kept, ...QUIET };
}

/** A search path with `.` or a blank in it would let the workspace say what `ls` is. */
function absoluteOnly(path: string): string {
	return path
		.split(delimiter)
		.filter((folder) => isAbsolute(folder))
		.join(delimiter);
}
