import { watch } from "node:fs";
import { cp, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { resolveRealPath } from "#daemon/agent/sandbox/real-path.ts";
import { isInside } from "#daemon/policy/protected.ts";
import { type CodexConnection, CodexError, type CodexMethods, INTERNAL_ERROR } from "../method.ts";
import { boolean, type Decoder, invalidRequest, optional, string, struct } from "../wire/decode.ts";

const absolute: Decoder<string> = {
	decode(value) {
		const path = string.decode(value);
		if (!isAbsolute(path)) throw invalidRequest("AbsolutePathBuf deserialized without a base path");
		return path;
	},
};
const pathParams = struct("FsParams", { path: absolute });
const writeParams = struct("FsWriteFileParams", { path: absolute, dataBase64: string });
const folderParams = struct("FsCreateDirectoryParams", { path: absolute, recursive: optional(boolean) });
const removeParams = struct("FsRemoveParams", {
	path: absolute,
	recursive: optional(boolean),
	force: optional(boolean),
});
const copyParams = struct("FsCopyParams", {
	sourcePath: absolute,
	destinationPath: absolute,
	recursive: optional(boolean),
});
const watchParams = struct("FsWatchParams", { path: absolute, watchId: string });
const unwatchParams = struct("FsUnwatchParams", { watchId: string });

/** Changes of this span are told together. */
const WATCH_GATHER_MS = 200;

const TEXTS: Readonly<Record<string, string>> = {
	ENOENT: "No such file or directory (os error 2)",
	EACCES: "Permission denied (os error 13)",
	EEXIST: "File exists (os error 17)",
	ENOTDIR: "Not a directory (os error 20)",
	EISDIR: "Is a directory (os error 21)",
	ENOSPC: "No space left on device (os error 28)",
	ENOTEMPTY: "Directory not empty (os error 39)",
};

function textOf(error: unknown): string {
	const code = error instanceof Error && "code" in error ? String(error.code) : "";
	return TEXTS[code] ?? (error instanceof Error ? error.message : "unknown error");
}

/** Runs a file operation with its failure as this wire has it. */
async function guarded<T>(action: () => Promise<T>): Promise<T> {
	try {
		return await action();
	} catch (error) {
		if (error instanceof CodexError) throw error;
		throw new CodexError(textOf(error), INTERNAL_ERROR);
	}
}

function createWatches(connection: CodexConnection) {
	const watches = new Map<string, Disposable>();

	function stop(watchId: string): void {
		watches.get(watchId)?.[Symbol.dispose]();
		watches.delete(watchId);
	}

	function start(watchId: string, path: string): void {
		if (watches.has(watchId)) throw new CodexError(`watchId already exists: ${watchId}`);
		const changed = new Set<string>();
		let timer: NodeJS.Timeout | undefined;
		const watcher = watch(path, (_event, name) => {
			changed.add(name === null ? path : join(path, name));
			timer ??= setTimeout(() => {
				timer = undefined;
				connection.notify("fs/changed", { watchId, changedPaths: [...changed] });
				changed.clear();
			}, WATCH_GATHER_MS);
		});
		watcher.on("error", () => stop(watchId));
		watches.set(watchId, {
			[Symbol.dispose]() {
				clearTimeout(timer);
				watcher.close();
			},
		});
	}

	connection.onClose(() => {
		for (const watchId of [...watches.keys()]) stop(watchId);
	});
	return { start, stop };
}

/** What is read at once; base64 of it still fits what may wait for one client (listener/limits.ts). */
const READ_MAX_BYTES = 40 * 1024 * 1024;

/** Opening a pipe waits for its other end, and a device has none: either would take one of few threads for good. */
async function assertPlainFile(path: string): Promise<number> {
	const found = await stat(path);
	if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
	if (!found.isFile()) throw new CodexError(`${path} is not a regular file`, INTERNAL_ERROR);
	return found.size;
}

async function readPlainFile(path: string): Promise<Buffer> {
	const sizeBytes = await assertPlainFile(path);
	if (sizeBytes > READ_MAX_BYTES)
		throw new CodexError(`file is too large to read: limit is ${READ_MAX_BYTES} bytes`, INTERNAL_ERROR);
	return readFile(path);
}

/** Refuses what lies in a folder of ours; with `isWhole` also what holds one. */
function createFence(secretFolders: readonly string[]) {
	return (path: string, isWhole = false): void => {
		for (const folder of secretFolders) {
			const [real, secret] = [resolveRealPath(resolve(path)), resolveRealPath(folder)];
			if (isInside(real, secret) || (isWhole && isInside(secret, real)))
				throw Object.assign(new Error(), { code: "EACCES" });
		}
	};
}

/**
 * `fs/*`: files of this machine as this user, for clients that have no other way to them.
 * @param secretFolders homes of ours, with the token and the sockets: no client of this protocol gets at them.
 */
export function createFileMethods(secretFolders: readonly string[] = []): CodexMethods {
	const assertOpen = createFence(secretFolders);
	const watchesOf = new Map<string, ReturnType<typeof createWatches>>();

	function watches(connection: CodexConnection): ReturnType<typeof createWatches> {
		const present = watchesOf.get(connection.connectionId);
		if (present) return present;
		const made = createWatches(connection);
		watchesOf.set(connection.connectionId, made);
		connection.onClose(() => watchesOf.delete(connection.connectionId));
		return made;
	}

	async function remove(path: string, options: { recursive: boolean; force: boolean }): Promise<void> {
		const found = await lstat(path).catch(() => undefined);
		if (found?.isDirectory() && !options.recursive && (await readdir(path)).length > 0)
			throw Object.assign(new Error(), { code: "ENOTEMPTY" });
		await rm(path, { ...options, recursive: options.recursive || found?.isDirectory() === true });
	}

	return {
		"fs/readFile": (params) =>
			guarded(async () => {
				const { path } = pathParams.decode(params);
				assertOpen(path);
				return { dataBase64: (await readPlainFile(path)).toString("base64") };
			}),
		"fs/writeFile": (params) =>
			guarded(async () => {
				const { path, dataBase64 } = writeParams.decode(params);
				assertOpen(path);
				await assertPlainFile(path).catch((error: NodeJS.ErrnoException) => {
					if (error.code !== "ENOENT") throw error;
				});
				await writeFile(path, Buffer.from(dataBase64, "base64"));
				return {};
			}),
		"fs/createDirectory": (params) =>
			guarded(async () => {
				const { path, recursive } = folderParams.decode(params);
				assertOpen(path);
				await mkdir(path, { recursive: recursive ?? true });
				return {};
			}),
		"fs/getMetadata": (params) =>
			guarded(async () => {
				const { path } = pathParams.decode(params);
				assertOpen(path);
				const [own, target] = await Promise.all([lstat(path), stat(path)]);
				return {
					...{ isDirectory: target.isDirectory(), isFile: target.isFile(), isSymlink: own.isSymbolicLink() },
					...{ createdAtMs: Math.trunc(target.birthtimeMs), modifiedAtMs: Math.trunc(target.mtimeMs) },
				};
			}),
		"fs/readDirectory": (params) =>
			guarded(async () => {
				const { path } = pathParams.decode(params);
				assertOpen(path);
				const rows = await readdir(path, { withFileTypes: true });
				return {
					entries: rows.map((row) => ({
						...{ fileName: row.name, isDirectory: row.isDirectory(), isFile: row.isFile() },
					})),
				};
			}),
		"fs/remove": (params) =>
			guarded(async () => {
				const { path, recursive, force } = removeParams.decode(params);
				assertOpen(path, true);
				await remove(path, { recursive: recursive ?? true, force: force ?? true });
				return {};
			}),
		"fs/copy": (params) =>
			guarded(async () => {
				const { sourcePath, destinationPath, recursive } = copyParams.decode(params);
				assertOpen(sourcePath, true);
				assertOpen(destinationPath);
				const isFolder = (await stat(sourcePath)).isDirectory();
				if (isFolder && recursive !== true)
					throw new CodexError("fs/copy requires recursive: true when sourcePath is a directory");
				if (!isFolder) await assertPlainFile(sourcePath);
				await cp(sourcePath, destinationPath, { recursive: recursive === true });
				return {};
			}),
		"fs/watch": (params, connection) =>
			guarded(async () => {
				const { path, watchId } = watchParams.decode(params);
				assertOpen(path);
				await stat(path);
				watches(connection).start(watchId, path);
				return { path };
			}),
		"fs/unwatch"(params, connection) {
			watches(connection).stop(unwatchParams.decode(params).watchId);
			return {};
		},
	};
}
