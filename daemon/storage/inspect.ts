import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { databaseSizeBytes, isSound } from "./prepare.ts";
import { type Connection, isDamage, openConnection } from "./sqlite.ts";

/** What can be said about a database from outside, with or without a daemon on it. */
export interface Inspection {
	state: "absent" | "ok" | "damaged";
	schemaVersion: number;
	sizeBytes: number;
	/** Damaged files set aside earlier, oldest first. */
	setAside: readonly string[];
}

/** Leaves no journal behind; to be closed by the caller. */
export function openForReading(path: string): Connection {
	// Without a journal nobody writes, and `immutable` keeps SQLite from making one just to read.
	const location = existsSync(`${path}-wal`) ? path : `${pathToFileURL(path).href}?immutable=1`;
	return openConnection(location, { readOnly: true });
}

/** Reads only, and leaves no journal behind. @throws a SQLite error when the file cannot be read. */
export function inspectDatabase(path: string): Inspection {
	const folder = dirname(path);
	const prefix = `${basename(path)}.damaged-`;
	const names = existsSync(folder) ? readdirSync(folder) : [];
	const setAside = names
		.filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name))
		.sort()
		.map((name) => join(folder, name));
	const found = { schemaVersion: 0, sizeBytes: databaseSizeBytes(path), setAside };
	if (!existsSync(path)) return { ...found, state: "absent" };
	const connection = openForReading(path);
	try {
		if (!isSound(connection)) return { ...found, state: "damaged" };
		const version = connection.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
		return { ...found, state: "ok", schemaVersion: version };
	} catch (error) {
		if (isDamage(error)) return { ...found, state: "damaged" };
		throw error;
	} finally {
		connection.close();
	}
}
