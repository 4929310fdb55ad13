import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink, rename, rm, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "#base/app-error.ts";
import { isProtected, type ProtectedPaths } from "../policy/protected.ts";
import type { Environment } from "./environment.ts";
import { resolveRealPath } from "./sandbox/real-path.ts";

/** A patch is text a person could read; a bigger file is not read into memory. */
const TEXT_LIMIT_BYTES = 16 * 1024 * 1024;
/** A pipe or device that stands where a file is expected must not hold a reader up. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * The files of this machine as tools and prompts may touch them: never what is protected, whatever link leads there, and
 * never another place than the one that was judged, also when a folder on the way is exchanged for a link meanwhile.
 */
export function createLocalFiles(
	protectedPaths: ProtectedPaths,
): Pick<Environment, "readText" | "readBytes" | "writeText" | "remove"> {
	function place(path: string): string {
		const real = resolveRealPath(path);
		if (isProtected(real, protectedPaths)) throw new AppError("TOOL_FAILED", `${path} is protected.`);
		return real;
	}
	return {
		async readText(path) {
			const bytes = await readBytes(place(path));
			return bytes === undefined ? undefined : decode(bytes, path);
		},
		readBytes: async (path, limitBytes) => readBytes(place(path), limitBytes),
		async writeText(path, text) {
			const real = place(path);
			await mkdir(dirname(real), { recursive: true });
			await inFolder(real, (name) => replace(name, text));
		},
		remove: async (path) => inFolder(place(path), unlink),
	};
}

/** Undefined when there is no such file. */
async function readBytes(path: string, limitBytes = TEXT_LIMIT_BYTES): Promise<Uint8Array | undefined> {
	try {
		await using file = await open(path, READ_FLAGS);
		await assertAt(file, path);
		const info = await file.stat();
		if (!info.isFile()) throw new AppError("TOOL_FAILED", `${path} is not a file.`);
		if (info.size > limitBytes) throw tooBig(path);
		return info.size > 0 ? await file.readFile() : await readUnsized(file, path);
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}

/** What the kernel makes up has no size ahead. */
async function readUnsized(file: FileHandle, path: string): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	let sizeBytes = 0;
	for await (const chunk of file.createReadStream({ autoClose: false, end: TEXT_LIMIT_BYTES })) {
		chunks.push(chunk as Uint8Array);
		sizeBytes += (chunk as Uint8Array).length;
	}
	if (sizeBytes > TEXT_LIMIT_BYTES) throw tooBig(path);
	return Buffer.concat(chunks);
}

function tooBig(path: string): AppError {
	return new AppError("TOOL_FAILED", `${path} is too big to be edited as text.`);
}

function decode(bytes: Uint8Array, path: string): string {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		throw new AppError("TOOL_FAILED", `${path} is not UTF-8 text.`);
	}
}

/** Calls `act` with a name for `path` that leads through its folder as it is now, wherever that is moved. */
async function inFolder(path: string, act: (name: string) => Promise<void>): Promise<void> {
	await using folder = await open(dirname(path), FOLDER_FLAGS);
	await assertAt(folder, dirname(path));
	await act(join(handlePath(folder) ?? dirname(path), basename(path)));
}

async function replace(name: string, text: string): Promise<void> {
	const present = await lstat(name).catch(() => undefined);
	const draft = join(dirname(name), `.weave-${randomUUID()}.tmp`);
	try {
		await using file = await open(draft, "wx", 0o666);
		await file.writeFile(text);
		// Rights, but never those of a set-user-id program: its contents are new.
		if (present?.isFile() === true) await file.chmod(present.mode & 0o777);
		await file.sync();
		await rename(draft, name);
	} catch (error) {
		await rm(draft, { force: true });
		throw error;
	}
}

/** Where Linux shows what a descriptor is open on. */
function handlePath(handle: FileHandle): string | undefined {
	return process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : undefined;
}

async function assertAt(handle: FileHandle, path: string): Promise<void> {
	const link = handlePath(handle);
	if (link !== undefined && (await readlink(link)) !== path)
		throw new AppError("TOOL_FAILED", `${path} leads elsewhere now.`);
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
