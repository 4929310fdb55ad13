import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Replaces a file whole: a reader, or a crash at any moment, sees the old or the new contents, on disk when it returns.
 * The file is readable by this user only unless `mode` says otherwise.
 * @throws NodeJS.ErrnoException of the file system; nothing is left behind then.
 */
export function writeFileAtomic(path: string, contents: string, mode = 0o600): void {
	const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
	try {
		const file = openSync(temporary, "wx", mode);
		try {
			writeSync(file, contents);
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
		renameSync(temporary, path);
	} catch (error) {
		rmSync(temporary, { force: true });
		throw error;
	}
	syncFolder(dirname(path));
}

/** The rename itself lives in the folder; some file systems refuse to sync folders, and then it is as durable as it gets. */
function syncFolder(folder: string): void {
	const handle = openSync(folder, "r");
	try {
		fsyncSync(handle);
	} catch {
		return;
	} finally {
		closeSync(handle);
	}
}
