import { createHash } from "node:crypto";
import { structuredPatch } from "diff";

/** A diff that is not found by then is given as one that replaces everything. */
const DIFF_TIMEOUT_MS = 500;
const CONTEXT_LINES = 3;

/** Hunks of a unified diff without file headers; empty for equal texts. */
export function unifiedHunks(before: string, after: string, contextLines = CONTEXT_LINES): string {
	if (before === after) return "";
	const patch = structuredPatch("a", "b", before, after, undefined, undefined, {
		context: contextLines,
		timeout: DIFF_TIMEOUT_MS,
	});
	if (patch === undefined) return replaceAll(before, after);
	return patch.hunks
		.map((hunk) => {
			const header = `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@\n`;
			return `${header}${hunk.lines.join("\n")}\n`;
		})
		.join("");
}

/** A count of one is left out, and an empty side is counted from the line before, as git does. */
function range(start: number, count: number): string {
	if (count === 0) return `${Math.max(0, start - 1)},0`;
	return count === 1 ? String(start) : `${start},${count}`;
}

function replaceAll(before: string, after: string): string {
	const old = marked(before, "-");
	const fresh = marked(after, "+");
	return `@@ -${range(1, old.count)} +${range(1, fresh.count)} @@\n${old.text}${fresh.text}`;
}

function marked(text: string, mark: string): { text: string; count: number } {
	if (text === "") return { text: "", count: 0 };
	const lines = text.split("\n");
	const openEnd = lines.at(-1) !== "";
	if (!openEnd) lines.pop();
	const body = lines.map((line) => `${mark}${line}\n`).join("");
	return { text: openEnd ? `${body}\\ No newline at end of file\n` : body, count: lines.length };
}

/** One file of a git-style diff; undefined text means that the file is not there. Names are relative, with forward slashes. */
export function gitFileDiff(
	before: { name: string; text: string | undefined },
	after: { name: string; text: string | undefined },
): string {
	if (before.text === after.text && before.name === after.name) return "";
	const lines = [`diff --git a/${before.name} b/${after.name}`];
	if (before.text === undefined) lines.push("new file mode 100644");
	if (after.text === undefined) lines.push("deleted file mode 100644");
	const hunks = unifiedHunks(before.text ?? "", after.text ?? "");
	if (hunks === "" && before.text !== undefined && after.text !== undefined) {
		lines.push("similarity index 100%", `rename from ${before.name}`, `rename to ${after.name}`);
		return `${lines.join("\n")}\n`;
	}
	lines.push(`index ${blobId(before.text)}..${blobId(after.text)}`);
	if (hunks !== "") {
		lines.push(before.text === undefined ? "--- /dev/null" : `--- a/${before.name}`);
		lines.push(after.text === undefined ? "+++ /dev/null" : `+++ b/${after.name}`);
	}
	return `${lines.join("\n")}\n${hunks}`;
}

/** Git's own id of the text as a blob; zeros where there is none. */
function blobId(text: string | undefined): string {
	if (text === undefined) return "0".repeat(40);
	const bytes = Buffer.from(text);
	return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
