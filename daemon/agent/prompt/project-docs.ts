import { dirname, join, resolve } from "node:path";
import type { Environment } from "#daemon/agent/environment.ts";

/** Files as the prompt needs them; reads only. */
export interface DocumentFiles {
	/** Null when it is not there or cannot be read. */
	readText(path: string): Promise<string | null>;
	/** Whether the folder is a repository's root. */
	isRepositoryRoot(folder: string): Promise<boolean>;
}

/** Documents of an environment; `.git` is a folder, or in a worktree or submodule a file. */
export function createDocumentFiles(environment: Pick<Environment, "readText">): DocumentFiles {
	const readText = (path: string): Promise<string | null> =>
		environment.readText(path).then(
			(text) => text ?? null,
			() => null,
		);
	return {
		readText,
		async isRepositoryRoot(folder) {
			return (
				(await readText(join(folder, ".git", "HEAD"))) !== null ||
				(await readText(join(folder, ".git"))) !== null
			);
		},
	};
}

const DOCUMENT = "AGENTS.md";

/** Folders from the repository's root down to `cwd`; only `cwd` outside of a repository. */
export async function folderChain(cwd: string, files: DocumentFiles): Promise<string[]> {
	const chain: string[] = [];
	for (let folder = resolve(cwd); ; folder = dirname(folder)) {
		chain.unshift(folder);
		if (await files.isRepositoryRoot(folder)) return chain;
		if (dirname(folder) === folder) return [resolve(cwd)];
	}
}

/** The first `maxBytes` bytes of a text, never half a character, with a marker that says what is missing. */
export function truncateBytes(text: string, maxBytes: number, path: string): string {
	const bytes = Buffer.from(text);
	if (bytes.length <= maxBytes) return text;
	let end = maxBytes;
	// 10xxxxxx continues a character: step back to its start.
	while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
	return `${bytes.subarray(0, end).toString("utf8")}\n[cut here: ${path} has ${bytes.length} bytes, ${end} are shown]`;
}

interface ProjectDocsInput {
	cwd: string;
	codexHome: string;
	/** Of the project's documents together, and of the global one by itself. */
	maxBytes: number;
	files: DocumentFiles;
}

/** The AGENTS.md block: the person's own first, then the project's from its root down; null when there is none. */
export async function projectDocsText({
	cwd,
	codexHome,
	maxBytes,
	files,
}: ProjectDocsInput): Promise<string | null> {
	const globalPath = join(codexHome, DOCUMENT);
	const own = (await files.readText(globalPath))?.trim() ?? "";
	const documents: string[] = [];
	let left = maxBytes;
	for (const folder of await folderChain(cwd, files)) {
		const path = join(folder, DOCUMENT);
		const text = (await files.readText(path))?.trim() ?? "";
		if (text === "" || left <= 0 || path === globalPath) continue;
		documents.push(truncateBytes(text, left, path));
		left -= Buffer.byteLength(text);
	}
	const project = documents.join("\n\n");
	const parts = [truncateBytes(own, maxBytes, globalPath), project].filter((part) => part !== "");
	if (parts.length === 0) return null;
	const body = parts.join("\n\n--- project-doc ---\n\n");
	return `# AGENTS.md instructions for ${cwd}\n\n<INSTRUCTIONS>\n${body}\n</INSTRUCTIONS>`;
}
