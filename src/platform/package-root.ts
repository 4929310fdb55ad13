import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Folder of our own package.json, from the sources and from the bundle alike. */
export function packageRoot(from: string = import.meta.dirname): string {
	for (let folder = from; ; folder = dirname(folder)) {
		if (existsSync(join(folder, "package.json"))) return folder;
		if (folder === dirname(folder)) throw new Error(`no package.json above ${from}`);
	}
}

/** A built entry, e.g. `daemon` → dist/daemon.js. */
export function distEntry(name: string): URL {
	return pathToFileURL(join(packageRoot(), "dist", `${name}.js`));
}
