import { isAbsolute, join, relative, resolve } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What no tool may read or write: our own homes and sockets, and credentials. The sandbox hides the same lists, so a rule
 * here is also a wall there.
 */
export interface ProtectedPaths {
	/** Everything below is out of reach. */
	readonly folders: readonly string[];
	readonly files: readonly string[];
	/** Readable although below a protected folder: instructions and skills, no secrets. */
	readonly exposed: readonly string[];
}

/** The places of the product that hold tokens, sockets and state; a part of `Paths`. */
export interface ProductPlaces {
	readonly home: string;
	readonly weaveHome: string;
	readonly codexHome: string;
	readonly daemonSocket: string;
	readonly codexSocket: string;
	readonly ptySocket: string;
	readonly coordSocket: string;
	readonly runtime: string;
}

/** Relative to the person's home. */
const CREDENTIAL_FOLDERS = [
	".ssh",
	".aws",
	".azure",
	".kube",
	".docker",
	".gnupg",
	".oci",
	".password-store",
	".config/gcloud",
	".config/gh",
	".config/rclone",
	".config/op",
	".config/doctl",
	".local/share/keyrings",
	".terraform.d",
];
const CREDENTIAL_FILES = [
	".netrc",
	".git-credentials",
	".config/git/credentials",
	".npmrc",
	".pypirc",
	".cargo/credentials",
	".cargo/credentials.toml",
	".claude/.credentials.json",
	".vault-token",
];
/** Variables that move a credential file elsewhere. */
const CREDENTIAL_VARIABLES = [
	"AWS_SHARED_CREDENTIALS_FILE",
	"AWS_CONFIG_FILE",
	"GOOGLE_APPLICATION_CREDENTIALS",
	"KUBECONFIG",
	"NETRC",
	"NPM_CONFIG_USERCONFIG",
];
/** Of Codex's own home, what its agents are meant to read; the rest holds logins, keys in config.toml, and transcripts. */
const CODEX_EXPOSED = ["AGENTS.md", "skills", "prompts"];

/**
 * Lists what is protected for this user; touches no file.
 * @param realPath resolves symlinks, because paths are compared after theirs are resolved.
 */
export function listProtectedPaths(
	places: ProductPlaces,
	env: Env,
	realPath: (path: string) => string,
): ProtectedPaths {
	const user = env["HOME"];
	// A long home puts its sockets elsewhere.
	const { daemonSocket, codexSocket, ptySocket, coordSocket } = places;
	const sockets = [daemonSocket, codexSocket, ptySocket, coordSocket].map((socket) => resolve(socket, ".."));
	const folders = [places.home, places.weaveHome, places.codexHome, places.runtime, ...sockets];
	const files: string[] = [];
	if (user !== undefined && user !== "") {
		folders.push(...CREDENTIAL_FOLDERS.map((name) => join(user, name)), join(user, ".codex"));
		files.push(...CREDENTIAL_FILES.map((name) => join(user, name)));
	}
	for (const name of CREDENTIAL_VARIABLES) {
		const value = env[name];
		if (value !== undefined && isAbsolute(value)) files.push(value);
	}
	const codexHomes = [places.codexHome, ...(user === undefined ? [] : [join(user, ".codex")])];
	const exposed = codexHomes.flatMap((home) => CODEX_EXPOSED.map((name) => join(realPath(home), name)));
	return { folders: withReal(folders, realPath), files: withReal(files, realPath), exposed };
}

function withReal(paths: readonly string[], realPath: (path: string) => string): string[] {
	return [...new Set(paths.flatMap((path) => [path, realPath(path)]))];
}

/** True when `path` is `folder` or lies below it; both absolute. */
export function isInside(path: string, folder: string): boolean {
	const way = relative(folder, path);
	return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith("../"));
}

/** True when `path` (absolute, symlinks resolved) may not be touched by any tool. */
export function isProtected(path: string, protectedPaths: ProtectedPaths): boolean {
	if (protectedPaths.files.some((file) => isInside(path, file))) return true;
	const holding = protectedPaths.folders.filter((folder) => isInside(path, folder));
	if (holding.length === 0) return false;
	return !protectedPaths.exposed.some(
		(open) => isInside(path, open) && holding.every((folder) => isInside(open, folder)),
	);
}

/** True when something protected lies at or below `path`, so that a command that walks the tree would meet it. */
export function holdsProtected(path: string, protectedPaths: ProtectedPaths): boolean {
	return [...protectedPaths.folders, ...protectedPaths.files].some((one) => isInside(one, path));
}
