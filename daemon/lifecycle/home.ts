import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { NewId } from "#base/id.ts";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { makeFolder } from "#platform/make-folder.ts";
import type { Paths } from "#platform/paths.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** What the file system said, as something a person can act on: a full disk is STORAGE_FULL, all else HOME_NOT_WRITABLE. */
export function toHomeError(thrown: unknown, path: string): AppError {
	if (thrown instanceof AppError) return thrown;
	const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
	const full = FULL.has(code) || (thrown instanceof Error && "errcode" in thrown && thrown.errcode === 13);
	if (full) return new AppError("STORAGE_FULL", `The disk of ${path} is full.`, { cause: thrown });
	return new AppError("HOME_NOT_WRITABLE", `${path} cannot be written (${code}).`, {
		cause: thrown,
		data: { path },
	});
}

/** A folder of this user only; one that was open to others is closed. */
function ensurePrivateFolder(path: string): void {
	makeFolder(path);
	const { mode, uid } = lstatSync(path);
	if (uid !== process.getuid?.())
		throw new AppError("HOME_NOT_WRITABLE", `${path} belongs to another user (uid ${uid}).`, {
			data: { path },
		});
	if ((mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** Creating a file proves more than permission bits do: read-only mounts, quotas, a full disk. */
function proveWritable(folder: string): void {
	const probe = join(folder, `.probe-${process.pid}`);
	writeFileSync(probe, "x".repeat(4096), { mode: 0o600 });
	rmSync(probe);
}

function readOrCreate(path: string, create: () => string): string {
	try {
		const present = readFileSync(path, "utf8").trim();
		if (present !== "") {
			chmodSync(path, 0o600);
			return present;
		}
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
	}
	const value = create();
	writeFileAtomic(path, `${value}\n`);
	return value;
}

export interface PreparedHome {
	token: string;
	machineId: string;
}

function prepareFolder(path: string): void {
	try {
		ensurePrivateFolder(path);
	} catch (error) {
		throw toHomeError(error, path);
	}
}

/** Makes the folders, before the lock is taken. @throws AppError HOME_NOT_WRITABLE, STORAGE_FULL. */
export function prepareFolders(paths: Paths): void {
	for (const folder of new Set([
		paths.home,
		paths.weaveHome,
		paths.logs,
		paths.runtime,
		dirname(paths.coordSocket),
		dirname(paths.ptySocket),
	])) {
		prepareFolder(folder);
	}
	try {
		proveWritable(paths.home);
	} catch (error) {
		throw toHomeError(error, paths.home);
	}
}

/**
 * Makes what a home holds from the first start on: the token (32 random bytes, base64url) and the machine's id, each made
 * once. Call it with the lock held, so that two starts cannot make two. @throws AppError HOME_NOT_WRITABLE, STORAGE_FULL.
 */
export function prepareHome(paths: Paths, newId: NewId): PreparedHome {
	try {
		return {
			token: readOrCreate(paths.token, () => randomBytes(32).toString("base64url")),
			machineId: readOrCreate(paths.machineId, newId),
		};
	} catch (error) {
		throw toHomeError(error, paths.home);
	}
}
