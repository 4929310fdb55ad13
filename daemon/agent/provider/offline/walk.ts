import { createIgnore, type IgnoreRule, parseIgnoreFile } from "./ignore.ts";
import type { WorkspaceFiles } from "./port.ts";

/** Bounds that keep a search in a big tree, or in `/`, a matter of a second or two. */
export const WALK_LIMITS = {
	files: 5_000,
	fileBytes: 512 * 1024,
	totalChars: 64 * 1024 * 1024,
	depth: 16,
	durationMs: 3_000,
} as const;
export type WalkLimits = { readonly [Name in keyof typeof WALK_LIMITS]: number };

/** Never searched: not the person's text, or likely to hold keys. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set([
	".git",
	".hg",
	".svn",
	"node_modules",
	".venv",
	"__pycache__",
	".ssh",
	".gnupg",
]);
const SECRET_FILE = /^(?:\.env(?:\..*)?|\.netrc|\.npmrc|auth\.json|id_[a-z0-9]+|.*\.(?:pem|key|p12|pfx))$/i;
const BINARY_FILE =
	/\.(?:png|jpe?g|gif|webp|ico|pdf|zip|gz|xz|zst|tar|7z|jar|so|o|a|class|wasm|node|exe|dll|woff2?|ttf|mp[34]|db|sqlite)$/i;
const BATCH_SIZE = 16;

export interface WalkedFile {
	/** Relative to the root, `/` between. */
	path: string;
	text: string;
}

export interface WalkPorts {
	files: WorkspaceFiles;
	monotonicMs(): number;
}

export interface WalkOptions {
	limits: WalkLimits;
	signal: AbortSignal;
	/** Told once, when a bound ended the walk early. */
	onCut(why: string): void;
}

interface Folder {
	/** Relative, with a trailing `/`; empty for the root. */
	path: string;
	depth: number;
	rules: readonly IgnoreRule[];
}

/** What is spent so far, and the bound it met first. */
function createBudget(
	ports: WalkPorts,
	limits: WalkLimits,
): { spend(chars: number): string | null; late(): string | null } {
	const endMs = ports.monotonicMs() + limits.durationMs;
	let count = 0;
	let total = 0;
	return {
		late: () => (ports.monotonicMs() > endMs ? `after ${limits.durationMs / 1000} s` : null),
		spend(chars) {
			if (count >= limits.files) return `at ${limits.files} files`;
			count += 1;
			total += chars;
			return total > limits.totalChars ? `at ${Math.round(limits.totalChars / 1024 / 1024)} MiB` : null;
		},
	};
}

/** Paths of files, shallow ones first, in batches that are read together. */
async function* walkPaths(
	root: string,
	files: WorkspaceFiles,
	depth: number,
): AsyncGenerator<readonly string[]> {
	const folders: Folder[] = [{ path: "", depth: 0, rules: [] }];
	for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
		const { names, subfolders } = await readFolder(root, folder, files);
		if (folder.depth < depth) folders.push(...subfolders);
		// A batch even when it is empty: a tree without files must meet the bounds too.
		yield names.slice(0, BATCH_SIZE);
		for (let from = BATCH_SIZE; from < names.length; from += BATCH_SIZE)
			yield names.slice(from, from + BATCH_SIZE);
	}
}

/**
 * Text files under `root`, shallow ones first, names in order; passes over what .gitignore names, links, binaries, keys.
 * Ends early, with a reason, at the first bound it meets.
 */
export async function* walkTextFiles(
	root: string,
	ports: WalkPorts,
	options: WalkOptions,
): AsyncGenerator<WalkedFile> {
	const { limits, signal } = options;
	const budget = createBudget(ports, limits);
	async function read(path: string): Promise<WalkedFile | null> {
		const text = await ports.files.readText(`${root}/${path}`, limits.fileBytes);
		return text === null ? null : { path, text };
	}
	for await (const batch of walkPaths(root, ports.files, limits.depth)) {
		if (signal.aborted) return;
		const found = await Promise.all(batch.map(read));
		for (const file of found.filter((each) => each !== null)) {
			const cut = budget.late() ?? budget.spend(file.text.length);
			if (cut !== null) return options.onCut(cut);
			yield file;
		}
		const late = budget.late();
		if (late !== null) return options.onCut(late);
	}
}

async function readFolder(
	root: string,
	folder: Folder,
	files: WorkspaceFiles,
): Promise<{ names: string[]; subfolders: Folder[] }> {
	const entries = await files.list(`${root}/${folder.path}`);
	const own = entries.some((entry) => entry.name === ".gitignore" && entry.kind === "file")
		? parseIgnoreFile(
				(await files.readText(`${root}/${folder.path}.gitignore`, 64 * 1024)) ?? "",
				folder.path,
			)
		: [];
	const rules = [...folder.rules, ...own];
	const isIgnored = createIgnore(rules);
	const names: string[] = [];
	const subfolders: Folder[] = [];
	for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
		const path = `${folder.path}${entry.name}`;
		if (entry.kind === "folder") {
			if (!SKIPPED_FOLDERS.has(entry.name) && !isIgnored(path, true))
				subfolders.push({ path: `${path}/`, depth: folder.depth + 1, rules });
		} else if (
			entry.kind === "file" &&
			!SECRET_FILE.test(entry.name) &&
			!BINARY_FILE.test(entry.name) &&
			!isIgnored(path, false)
		) {
			names.push(path);
		}
	}
	return { names, subfolders };
}
