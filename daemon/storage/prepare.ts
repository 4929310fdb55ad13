import {
	chmodSync,
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmSync,
	statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { AppError } from "#base/app-error.ts";
import { type Connection, isDamage, openConnection, toStorageError } from "./sqlite.ts";
import type { Migration } from "./store.ts";

/** Enough to step back over a bad release, few enough not to fill a disk. */
const BACKUPS_KEPT = 5;

export interface PrepareOptions {
	path: string;
	backupsDir: string;
	migrations: readonly Migration[];
	nowMs: number;
}

export interface Prepared {
	schemaVersion: number;
	/** Where a damaged database was put and how to get at its contents; null when it was sound. */
	recovered: string | null;
}

/** 20260102T030405123Z: sorts by time and fits in a file name. */
function stampOf(nowMs: number): string {
	return new Date(nowMs).toISOString().replaceAll(/[-:.]/g, "");
}

function assertRising(migrations: readonly Migration[]): void {
	for (const [index, migration] of migrations.entries()) {
		const before = migrations[index - 1]?.version ?? 0;
		if (migration.version <= before)
			throw new Error(`migration ${migration.name} must have a version above ${before}`);
	}
}

/** True when the file's pages and indexes hold together (PRAGMA quick_check). */
export function isSound(connection: Connection): boolean {
	try {
		return connection.get<{ quick_check: string }>("PRAGMA quick_check(1)")?.quick_check === "ok";
	} catch (error) {
		if (isDamage(error)) return false;
		throw error;
	}
}

function freeName(wanted: string): string {
	let name = wanted;
	for (let n = 2; existsSync(name); n += 1) name = `${wanted}-${n}`;
	return name;
}

/** Moves the database and its journal aside under one name, so that SQLite's own recovery can still open them together. */
function setAside(path: string, nowMs: number): string {
	const aside = freeName(`${path}.damaged-${stampOf(nowMs)}`);
	for (const suffix of ["-wal", "-shm", ""]) {
		if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
	}
	return aside;
}

function newestBackup(backupsDir: string, path: string): string | undefined {
	const name = listBackups(backupsDir, path).at(-1);
	return name === undefined ? undefined : join(backupsDir, name);
}

function listBackups(backupsDir: string, path: string): string[] {
	if (!existsSync(backupsDir)) return [];
	const prefix = `${basename(path, ".db")}-`;
	return readdirSync(backupsDir)
		.filter((name) => name.startsWith(prefix) && name.endsWith(".db"))
		.sort();
}

/** A consistent copy, complete or absent: written under another name first. */
function makeBackup(connection: Connection, options: PrepareOptions, version: number): void {
	const { backupsDir, path, nowMs } = options;
	mkdirSync(backupsDir, { recursive: true, mode: 0o700 });
	const target = freeName(
		join(backupsDir, `${basename(path, ".db")}-${stampOf(nowMs)}-v${String(version).padStart(4, "0")}.db`),
	);
	const partial = `${target}.partial`;
	rmSync(partial, { force: true });
	try {
		connection.run("VACUUM INTO ?", partial);
		chmodSync(partial, 0o600);
		renameSync(partial, target);
	} catch (error) {
		rmSync(partial, { force: true });
		throw error;
	}
	for (const old of listBackups(backupsDir, path).slice(0, -BACKUPS_KEPT))
		rmSync(join(backupsDir, old), { force: true });
}

function readVersion(connection: Connection): number {
	return connection.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
}

function isEmpty(connection: Connection): boolean {
	return connection.get<{ n: number }>("SELECT count(*) AS n FROM sqlite_schema")?.n === 0;
}

function applyMigration(connection: Connection, migration: Migration): void {
	const { database } = connection;
	database.exec("BEGIN IMMEDIATE");
	try {
		database.exec(migration.sql);
		database.exec(`PRAGMA user_version = ${migration.version}`);
		database.exec("COMMIT");
	} catch (error) {
		if (database.isTransaction) database.exec("ROLLBACK");
		throw error;
	}
}

function migrate(connection: Connection, options: PrepareOptions): number {
	let version = readVersion(connection);
	const newest = options.migrations.at(-1)?.version ?? 0;
	if (version > newest) {
		throw new AppError(
			"STORAGE_NEWER",
			`The database ${options.path} has schema ${version}; this version knows ${newest}.`,
			{
				data: { found: version, known: newest },
			},
		);
	}
	const backUp = !isEmpty(connection);
	for (const migration of options.migrations) {
		if (migration.version <= version) continue;
		if (backUp) makeBackup(connection, options, version);
		applyMigration(connection, migration);
		version = migration.version;
	}
	return version;
}

/** The connection of a sound database, or undefined when the file is damaged. */
function openSound(path: string): Connection | undefined {
	const connection = openConnection(path);
	try {
		if (isSound(connection)) {
			connection.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
			return connection;
		}
	} catch (error) {
		connection.close();
		if (isDamage(error)) return undefined;
		throw error;
	}
	connection.close();
	return undefined;
}

function createPrivateFile(path: string): void {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	closeSync(openSync(path, "a", 0o600));
}

function describeRecovery(aside: string, backup: string | undefined): string {
	const copy = backup === undefined ? "" : ` The newest backup is ${backup}.`;
	return `The database was damaged and was set aside as ${aside}; a fresh one is in use.${copy} To get at the old contents: stop the daemon, then \`sqlite3 ${aside} .recover | sqlite3 recovered.db\`.`;
}

/**
 * Makes the file ready for use: sound, in WAL mode, migrated to the newest version; a damaged one is set aside, never
 * overwritten. Synchronous; runs before anything else has the file open.
 * @throws AppError STORAGE_NEWER, STORAGE_FULL, STORAGE_FAILED.
 */
export function prepareDatabase(options: PrepareOptions): Prepared {
	assertRising(options.migrations);
	try {
		createPrivateFile(options.path);
		let recovered: string | null = null;
		let connection = openSound(options.path);
		if (!connection) {
			const aside = setAside(options.path, options.nowMs);
			recovered = describeRecovery(aside, newestBackup(options.backupsDir, options.path));
			createPrivateFile(options.path);
			connection = openSound(options.path);
			if (!connection)
				throw new AppError(
					"STORAGE_CORRUPT",
					`A fresh database at ${options.path} is damaged too; the disk may be failing.`,
				);
		}
		try {
			return { schemaVersion: migrate(connection, options), recovered };
		} finally {
			connection.close();
		}
	} catch (error) {
		throw toStorageError(error);
	}
}

/** Bytes of the database with its journal. */
export function databaseSizeBytes(path: string): number {
	return ["", "-wal"].reduce(
		(sum, suffix) => sum + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0),
		0,
	);
}
