import { access, open } from "node:fs/promises";
import type { DocumentFiles } from "./project-docs.ts";

/** More than any limit takes, so that a huge file is not read whole. */
const MAX_READ_BYTES = 1024 * 1024;

/** This machine's documents. */
export const localDocuments: DocumentFiles = {
	async readText(path) {
		try {
			await using handle = await open(path, "r");
			if (!(await handle.stat()).isFile()) return null;
			const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(MAX_READ_BYTES) });
			return buffer.subarray(0, bytesRead).toString("utf8");
		} catch {
			return null;
		}
	},
	exists: (path) =>
		access(path).then(
			() => true,
			() => false,
		),
};
