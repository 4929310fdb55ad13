import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** As many links as the kernel itself follows. */
const MAX_LINKS = 40;

/**
 * The absolute path with every symlink resolved in the part that exists, dangling links included, so that a fence
 * around folders judges the place that would really be touched.
 */
export function resolveRealPath(path: string, linksLeft = MAX_LINKS): string {
	const absolute = resolve(path);
	try {
		return realpathSync(absolute);
	} catch {
		const parent = dirname(absolute);
		if (parent === absolute) return absolute;
		const target = linkTarget(absolute);
		if (target !== undefined && linksLeft > 0) {
			return resolveRealPath(resolve(resolveRealPath(parent, linksLeft - 1), target), linksLeft - 1);
		}
		return join(resolveRealPath(parent, linksLeft), basename(absolute));
	}
}

function linkTarget(path: string): string | undefined {
	try {
		return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
	} catch {
		return undefined;
	}
}
