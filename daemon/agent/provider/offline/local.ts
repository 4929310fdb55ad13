import { appendFile, chmod, mkdir, open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, sep } from "node:path";
import type { FolderEntry, Notes, WorkspaceFiles } from "./port.ts";

/** Bytes in which a NUL tells a binary file from text; as git does it. */
const SNIFF_BYTES = 8_000;

const isWithin = (path: string, folder: string): boolean =>
	path === folder || path.startsWith(`${folder}${sep}`);

/**
 * This machine's files, but for the `hidden` folders and what is in them: keys of the daemon and of logins, which no
 * agent may show.
 */
export function createLocalFiles(hidden: readonly string[]): WorkspaceFiles {
	async function isHidden(folder: string): Promise<boolean> {
		const real = await realpath(folder).catch(() => folder);
		const walls = await Promise.all(hidden.map((wall) => realpath(wall).catch(() => wall)));
		return walls.some((wall) => isWithin(real, wall));
	}
	return { list: async (folder) => ((await isHidden(folder)) ? [] : listFolder(folder)), readText };
}

async function listFolder(folder: string): Promise<readonly FolderEntry[]> {
	const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
	return entries.map((entry) => ({
		name: entry.name,
		kind: entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other",
	}));
}

async function readText(path: string, maxBytes: number): Promise<string | null> {
	try {
		const { size } = await stat(path);
		if (size > maxBytes) return null;
		const bytes = await readFile(path);
		return bytes.subarray(0, SNIFF_BYTES).includes(0) ? null : bytes.toString("utf8");
	} catch {
		return null;
	}
}

interface NotesOptions {
	/** HOMIE_HOME/memory/notes.md */
	file: string;
	/** ms since 1970; the day is written before each note. */
	nowMs(): number;
}

/** A Markdown list that the person may edit; the folder is 0700 and the file 0600. */
export function createNotes(options: NotesOptions): Notes {
	const { file } = options;
	return {
		file,
		async add(text) {
			await mkdir(dirname(file), { recursive: true, mode: 0o700 });
			const line = text.trim().replaceAll(/\s+/g, " ");
			await appendFile(file, `- ${new Date(options.nowMs()).toISOString().slice(0, 10)} ${line}\n`, {
				mode: 0o600,
			});
			await chmod(file, 0o600);
			const handle = await open(file, "r+");
			try {
				await handle.sync();
			} finally {
				await handle.close();
			}
		},
		async list() {
			const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
				if (error.code === "ENOENT") return "";
				throw error;
			});
			return text
				.split("\n")
				.flatMap((line, index) => (line.trim() === "" ? [] : [{ line: index + 1, text: line.trim() }]));
		},
	};
}
