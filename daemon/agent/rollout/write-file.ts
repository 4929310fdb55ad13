import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "#base/app-error.ts";
import type { ExportLine } from "./export-lines.ts";

/** What is written at once. */
const BUFFER_CHARACTERS = 256 * 1024;

async function writeLines(file: FileHandle, lines: Iterable<ExportLine>): Promise<void> {
	let buffer = "";
	let ordinal = 0;
	for (const { type, payload, atMs } of lines) {
		buffer += `${JSON.stringify({ timestamp: new Date(atMs).toISOString(), ordinal, type, payload })}\n`;
		ordinal += 1;
		if (buffer.length < BUFFER_CHARACTERS) continue;
		await file.appendFile(buffer);
		buffer = "";
	}
	await file.appendFile(buffer);
	await file.sync();
}

/** A new name for what was written; refuses when somebody has that name. */
async function place(temporary: string, path: string, replace: boolean): Promise<void> {
	if (replace) return rename(temporary, path);
	await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "EEXIST") throw new AppError("CONFLICT", `There is a file ${path} already.`);
		throw error;
	});
}

/**
 * Writes a rollout whole or not at all, readable by this user only. Another's file is never replaced.
 * @throws AppError CONFLICT when there is a file and `replace` is false; errors of the file system.
 */
export async function writeRollout(
	path: string,
	lines: Iterable<ExportLine>,
	{ replace }: { replace: boolean },
): Promise<void> {
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
	try {
		const file = await open(temporary, "wx", 0o600);
		try {
			await writeLines(file, lines);
		} finally {
			await file.close();
		}
		await place(temporary, path, replace);
	} finally {
		await rm(temporary, { force: true });
	}
}
