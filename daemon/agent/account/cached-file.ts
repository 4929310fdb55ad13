import { readFileSync, statSync } from "node:fs";
import { AppError } from "#base/app-error.ts";

const isMissing = (error: unknown): boolean => {
	const code = (error as NodeJS.ErrnoException).code;
	return code === "ENOENT" || code === "ENOTDIR";
};

/** What tells one version of a file from the next; null when there is no file. */
function stampOf(file: string): string | null {
	const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
	// Opening a pipe would wait for its other end, and the whole daemon with it.
	if (stat !== undefined && !stat.isFile()) throw Object.assign(new Error(), { code: "EINVAL" });
	return stat === undefined ? null : `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

/**
 * Keeps what a file parsed to until its time, size or inode changes; a mistake is not kept. Synchronous on purpose: such
 * files are small, and a change must count from the very next request.
 * @throws AppError CONFIG_INVALID, from the returned function, when the file is there and cannot be read or parsed.
 */
export function createCachedFile<T>(file: string, parse: (text: string | null) => T): () => T {
	let cached: { stamp: string | null; value: T } | null = null;

	function load(): T {
		const stamp = stampOf(file);
		if (cached === null || cached.stamp !== stamp) {
			cached = { stamp, value: parse(stamp === null ? null : readFileSync(file, "utf8")) };
		}
		return cached.value;
	}
	return () => {
		try {
			return load();
		} catch (error) {
			if (error instanceof AppError) throw error;
			if (isMissing(error)) return parse(null);
			const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
			throw new AppError("CONFIG_INVALID", `${file}: cannot be read (${code}).`, { data: { file } });
		}
	};
}
