import { appendFile, chmod, mkdir, open, readdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Notes, WorkspaceFiles } from "./port.ts";

/** Bytes in which a NUL tells a binary file from text; as git does it. */
const SNIFF_BYTES = 8_000;

/** This machine's files. */
export const localFiles: WorkspaceFiles = {
	async list(folder) {
		const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
		return entries.map((entry) => ({
			name: entry.name,
			kind: entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other",
		}));
	},
	async readText(path, maxBytes) {
		try {
			const { size } = await stat(path);
			if (size > maxBytes) return null;
			const bytes = await readFile(path);
			return bytes.subarray(0, SNIFF_BYTES).includes(0) ? null : bytes.toString("utf8");
		} catch {
			return null;
		}
	},
};

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
