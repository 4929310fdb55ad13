import { createReadStream } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

const entrySchema = z.looseObject({ id: z.string(), thread_name: z.string() });

const indexPath = (codexHome: string): string => join(codexHome, "session_index.jsonl");

function parse(line: string): z.infer<typeof entrySchema> | undefined {
	try {
		return entrySchema.parse(JSON.parse(line));
	} catch {
		return undefined;
	}
}

/** Names that people gave their threads in the Codex CLI, by thread id; the last line of a thread counts. */
export async function readSessionNames(codexHome: string): Promise<ReadonlyMap<string, string>> {
	const names = new Map<string, string>();
	try {
		for await (const line of createInterface({ input: createReadStream(indexPath(codexHome)) })) {
			const entry = parse(line);
			if (entry !== undefined && entry.thread_name.trim() !== "") names.set(entry.id, entry.thread_name);
		}
	} catch {
		// Nobody ever named a thread there, or it cannot be read; then threads have no names.
	}
	return names;
}

/** Adds a name as the Codex CLI does: one line, in one write. */
export async function appendSessionName(
	codexHome: string,
	entry: { id: string; name: string; atMs: number },
): Promise<void> {
	const { id, name: thread_name, atMs } = entry;
	const line = JSON.stringify({ id, thread_name, updated_at: new Date(atMs).toISOString() });
	await appendFile(indexPath(codexHome), `${line}\n`, { mode: 0o600 });
}
