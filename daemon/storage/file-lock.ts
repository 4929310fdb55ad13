import { rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./sqlite.ts";

/** Inode and birth: two files that follow each other at one path may share the first, never both. */
function fileKey(path: string): string | undefined {
	const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
	return stat === undefined ? undefined : `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
}

/**
 * Takes an exclusive lock that the kernel frees when this process dies, however it dies: an exclusive SQLite transaction
 * on an empty file (the advisory locks Node itself does not offer). Disposing removes the file while it is still held.
 * Undefined when another process holds it. Nothing else in this process may open that file: closing it would drop the lock.
 * @throws NodeJS.ErrnoException or a SQLite error when the file cannot be made.
 */
export function tryLockFile(path: string): Disposable | undefined {
	for (;;) {
		const before = fileKey(path);
		const database = new DatabaseSync(path, { timeout: 0 });
		try {
			// Nothing is ever written, so the journal need not be a file either.
			database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
		} catch (error) {
			database.close();
			if (isBusy(error)) return undefined;
			throw error;
		}
		// The holder before us may have removed the file between our open and our lock; then we hold a file nobody sees.
		const after = fileKey(path);
		if (after !== undefined && (before === undefined || before === after)) {
			return {
				[Symbol.dispose]() {
					if (!database.isOpen) return;
					rmSync(path, { force: true });
					database.close();
				},
			};
		}
		database.close();
	}
}
