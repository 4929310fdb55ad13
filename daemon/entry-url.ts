import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "#platform/package-root.ts";

/** A program of ours in a process or thread of its own: its bundle, or its source when this runs from the sources. */
export function entryUrl(name: string, source: string): URL {
	return import.meta.url.endsWith(".ts")
		? new URL(source, import.meta.url)
		: pathToFileURL(join(packageRoot(), "dist", `${name}.js`));
}
