import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder of this user only, and those above it; one that is there stays as it is. Node's own recursive mkdir
 * never ends where the system says ENOENT below a folder that exists, as /proc does.
 * @throws the system's error.
 */
export function makeFolder(path: string): void {
	try {
		mkdirSync(path, { mode: 0o700 });
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "EEXIST" && statSync(path).isDirectory()) return;
		const above = dirname(path);
		if (code !== "ENOENT" || above === path || statSync(above, { throwIfNoEntry: false })) throw error;
		makeFolder(above);
		mkdirSync(path, { mode: 0o700 });
	}
}
