import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { auditAppend, verifyAudit } from "#daemon/storage/repository/audit.ts";
import { readEventsAfter, readLastLogId, readStreamAfter } from "#daemon/storage/repository/event-log.ts";
import { metaSet, readMeta } from "#daemon/storage/repository/meta.ts";
import { openConnection } from "#daemon/storage/sqlite.ts";
import type { LogEvent } from "#daemon/storage/store.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { openTestStore } from "#test/support/store.ts";
import { addNote, capPages, fillUp } from "../../fixture/store-commands.ts";

const commandsUrl = new URL("../../fixture/store-commands.ts", import.meta.url);
let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "store-test-"));
});
afterEach(async () => {
	await rm(folder, { recursive: true, force: true });
});

async function refusal(promise: Promise<unknown>): Promise<AppError> {
	const error: unknown = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof AppError)) throw new Error(`expected an AppError, got ${String(error)}`);
	return error;
}

describe("store", () => {
	it("store: results, reads and events agree when writes are queued together", async () => {
		await using store = await openTestStore({ commandsUrl });
		const order: string[] = [];
		const events: LogEvent[] = [];
		store.onCommitted((batch) => {
			order.push("committed");
			events.push(...batch);
		});
		const results = await Promise.all(
			["a", "b", "c"].map(async (text) => {
				const result = await store.write(addNote, { text });
				order.push(text);
				return result;
			}),
		);
		expect(results.map((result) => result.seen)).toEqual([1, 2, 3]);
		expect(order).toEqual(["committed", "a", "b", "c"]);
		expect(events.map((event) => event.seq)).toEqual([1, 2, 3]);
		expect(store.all("SELECT text FROM note")).toStrictEqual([{ text: "a" }, { text: "b" }, { text: "c" }]);
		expect(readStreamAfter(store, "thread:a", 1, 10)).toEqual(events.slice(1));
		expect(readEventsAfter(store, 0, 10)).toEqual(events);
		expect(readLastLogId(store)).toBe(3);
	});

	it("store: only the refused unit is undone, and the sequence stays gapless", async () => {
		await using store = await openTestStore({ commandsUrl });
		const first = store.write(addNote, { text: "a" });
		const refused = refusal(store.write(addNote, { text: "b", mode: "refuse" }));
		const broken = refusal(store.write(addNote, { text: "c", mode: "break" }));
		const odd = refusal(store.write(addNote, { text: "d", mode: "odd" }));
		const last = store.write(addNote, { text: "e" });
		await first;
		const error = await refused;
		expect([error.code, error.message, error.data]).toEqual(["CONFLICT", "not this one", { text: "b" }]);
		const mistake = await broken;
		expect(mistake.code).toBe("STORAGE_FAILED");
		expect(String((mistake.cause as Error).message)).toContain("a mistake");
		expect((await odd).code).toBe("STORAGE_FAILED");
		await last;
		expect(store.all<{ text: string }>("SELECT text FROM note").map((row) => row.text)).toEqual([
			"a",
			"d",
			"e",
		]);
		expect(readStreamAfter(store, "thread:a", 0, 10).map((event) => event.seq)).toEqual([1, 2, 3]);
	});

	it("store: arguments that cannot be cloned fail alone", async () => {
		await using store = await openTestStore({ commandsUrl });
		const odd = refusal(store.write(addNote, { text: (() => "x") as unknown as string }));
		const good = store.write(addNote, { text: "a" });
		expect((await odd).code).toBe("STORAGE_FAILED");
		expect((await good).seen).toBe(1);
	});

	it("store: a repeated key gives the first result until a day has passed", async () => {
		const clock = createFakeClock();
		await using store = await openTestStore({ commandsUrl, clock });
		const claim = { identity: "owner", method: "note.add", key: "k1", digest: "d1" };
		const first = await store.write(addNote, { text: "a" }, { idempotency: claim });
		expect(await store.write(addNote, { text: "b" }, { idempotency: claim })).toEqual(first);
		expect(store.all("SELECT id FROM note")).toHaveLength(1);
		const other = refusal(store.write(addNote, { text: "c" }, { idempotency: { ...claim, digest: "d2" } }));
		expect((await other).code).toBe("IDEMPOTENCY_MISMATCH");
		const refused = { ...claim, key: "k2" };
		await refusal(store.write(addNote, { text: "d", mode: "refuse" }, { idempotency: refused }));
		expect((await store.write(addNote, { text: "d" }, { idempotency: refused })).seen).toBe(2);
		clock.advance(24 * 3_600_000 + 1);
		expect((await store.write(addNote, { text: "e" }, { idempotency: claim })).seen).toBe(3);
		await store.write(metaSet, { key: "k", value: "v" });
		expect(store.all("SELECT key FROM idempotency")).toEqual([{ key: "k1" }]);
	});

	it("store: a full disk refuses its group as retryable and the store goes on", async () => {
		await using store = await openTestStore({ commandsUrl });
		await store.write(capPages, undefined);
		const error = await refusal(store.write(fillUp, undefined));
		expect([error.code, error.retryable]).toEqual(["STORAGE_FULL", true]);
		expect((await store.write(addNote, { text: "small" })).seen).toBe(1);
		expect(store.status().state).toBe("ok");
	});

	it("store: closing folds the journal in and refuses later writes", async () => {
		const path = join(folder, "homie.db");
		const store = await openTestStore({ path, commandsUrl });
		const last = store.write(metaSet, { key: "a", value: "1" });
		await store[Symbol.asyncDispose]();
		await last;
		expect((await refusal(store.write(metaSet, { key: "a", value: "2" }))).code).toBe("DAEMON_STOPPING");
		expect(readdirSync(folder)).toEqual(["homie.db"]);
		expect(statSync(path).mode & 0o777).toBe(0o600);
		await using again = await openTestStore({ path, commandsUrl });
		expect(readMeta(again, "a")).toBe("1");
	});

	it("store: each migration of a filled database is preceded by a backup, a fresh one by none", async () => {
		const path = join(folder, "homie.db");
		const backupsDir = join(folder, "backups");
		const one = new URL("../../fixture/store-commands-v1.ts", import.meta.url);
		const first = await openTestStore({ path, backupsDir, commandsUrl: one });
		await first.write(metaSet, { key: "a", value: "1" });
		expect([first.status().schemaVersion, existsSync(backupsDir)]).toEqual([1, false]);
		await first[Symbol.asyncDispose]();
		const second = await openTestStore({ path, backupsDir, commandsUrl });
		expect(second.status().schemaVersion).toBe(2);
		await second[Symbol.asyncDispose]();
		const [backup = "", ...others] = readdirSync(backupsDir);
		expect(others).toEqual([]);
		expect(statSync(join(backupsDir, backup)).mode & 0o777).toBe(0o600);
		const copy = openConnection(join(backupsDir, backup), { readOnly: true });
		expect([copy.get("PRAGMA user_version"), readMeta(copy, "a")]).toEqual([{ user_version: 1 }, "1"]);
		copy.close();
		expect((await refusal(openTestStore({ path, commandsUrl: one }))).code).toBe("STORAGE_NEWER");
	});

	it.each([
		[
			"not a database",
			(path: string) => writeFileSync(path, "this is not a database, but it is somebody's data ".repeat(200)),
		],
		[
			"a broken page",
			(path: string) => {
				const bytes = readFileSync(path);
				bytes.fill(0xff, 4096 + 10, 4096 * 3);
				writeFileSync(path, bytes);
			},
		],
	])("store: a damaged file (%s) is set aside whole and a fresh one made", async (_name, damage) => {
		const path = join(folder, "homie.db");
		const sound = await openTestStore({ path, commandsUrl });
		await sound.write(metaSet, { key: "a", value: "1" });
		await sound[Symbol.asyncDispose]();
		damage(path);
		appendFileSync(`${path}-wal`, "journal");
		const before = readFileSync(path);
		await using store = await openTestStore({ path, commandsUrl, clock: createFakeClock() });
		const status = store.status();
		expect(status.state).toBe("recovered");
		const aside = readdirSync(folder).find((name) => /^homie\.db\.damaged-[0-9TZ]+$/.test(name)) ?? "";
		expect(status.detail).toContain(join(dirname(path), aside));
		expect(readFileSync(join(folder, aside)).equals(before)).toBe(true);
		expect(readMeta(store, "a")).toBeUndefined();
		expect((await store.write(addNote, { text: "x" })).seen).toBe(1);
	});

	it("store: losing the writer fails what waits and is told once", async () => {
		const fatal: AppError[] = [];
		const env = { WEAVE_FAULT: "store.after-commit:2=throw" };
		await using store = await openTestStore({ commandsUrl, env, onFatal: (error) => fatal.push(error) });
		await store.write(metaSet, { key: "a", value: "1" });
		expect((await refusal(store.write(metaSet, { key: "b", value: "2" }))).code).toBe("STORAGE_FAILED");
		expect(readMeta(store, "b")).toBe("2");
		expect((await refusal(store.write(metaSet, { key: "c", value: "3" }))).code).toBe("STORAGE_FAILED");
		expect(fatal.map((error) => error.code)).toEqual(["STORAGE_FAILED"]);
		expect(store.status().state).toBe("failed");
	});

	it.each([
		["store.before-commit:2", ["first"]],
		["store.after-commit:2", ["first", "second"]],
	])("store: kill -9 at %s keeps what was acknowledged and what was committed", async (fault, kept) => {
		const path = join(folder, "homie.db");
		const file = fileURLToPath(new URL("../../fixture/store-crash.ts", import.meta.url));
		const { signal, stdout } = spawnSync(process.execPath, [file, path], {
			env: { WEAVE_FAULT: fault, TMPDIR: folder },
			encoding: "utf8",
		});
		expect([signal, stdout]).toEqual(["SIGKILL", "first\n"]);
		await using store = await openTestStore({ path, commandsUrl });
		expect(store.all<{ text: string }>("SELECT text FROM note").map((row) => row.text)).toEqual(kept);
		expect(store.status().state).toBe("ok");
		await store.write(addNote, { text: "next" });
		expect(readStreamAfter(store, "thread:a", 0, 9).map((event) => event.seq)).toEqual(
			[...kept, "next"].map((_, index) => index + 1),
		);
	});

	it("store: a commit that fails leaves nothing behind", async () => {
		const env = { WEAVE_FAULT: "store.before-commit=throw" };
		await using store = await openTestStore({ commandsUrl, env });
		expect((await refusal(store.write(addNote, { text: "lost" }))).code).toBe("STORAGE_FAILED");
		expect((await store.write(addNote, { text: "kept" })).seen).toBe(1);
		expect(readStreamAfter(store, "thread:a", 0, 9)).toHaveLength(1);
	});

	it("store: the audit chain shows a row changed behind its back", async () => {
		const path = join(folder, "homie.db");
		const store = await openTestStore({ path, commandsUrl });
		for (const action of ["one", "two", "three"]) {
			await store.write(auditAppend, {
				actor: "owner",
				client: "cli",
				machine_id: "m",
				action,
				detail: { argv: ["ls"] },
			});
		}
		expect(verifyAudit(store)).toBeNull();
		await store[Symbol.asyncDispose]();
		const raw = openConnection(path);
		expect(() => raw.run("UPDATE audit SET action = 'x'")).toThrow("append-only");
		raw.database.exec("DROP TRIGGER audit_no_update; UPDATE audit SET action = 'x' WHERE audit_id = 2");
		expect(verifyAudit(raw)).toBe(2);
		raw.close();
	});
});
