import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Check, runDoctor } from "#daemon/lifecycle/doctor.ts";
import { prepareFolders, prepareHome } from "#daemon/lifecycle/home.ts";
import { sweepDeadDaemon } from "#daemon/lifecycle/sweep.ts";
import { auditAppend } from "#daemon/storage/repository/audit.ts";
import { openConnection } from "#daemon/storage/sqlite.ts";
import { type Paths, resolvePaths } from "#platform/paths.ts";
import { openTestStore } from "#test/support/store.ts";

let folder: string;
let paths: Paths;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "doc-"));
	paths = resolvePaths({
		HOMIE_HOME: join(folder, "h"),
		WEAVE_HOME: join(folder, "w"),
		CODEX_HOME: join(folder, "c"),
		XDG_RUNTIME_DIR: folder,
	});
});
afterEach(async () => {
	await rm(folder, { recursive: true, force: true });
});

async function examine(env: Record<string, string> = {}): Promise<Record<string, Check>> {
	const checks = await runDoctor({ paths, env: { PATH: process.env["PATH"], ...env } });
	return Object.fromEntries(checks.map((check) => [check.name, check]));
}

describe("doctor", () => {
	it("doctor: an empty machine has warnings with what to type, and nothing is made", async () => {
		const found = await examine();
		expect(Object.keys(found)).toHaveLength(14);
		expect(found["daemon"]).toMatchObject({ state: "warn", remedy: "`weave-codex start`" });
		expect(found["database"]?.state).toBe("ok");
		expect(found["provider"]).toMatchObject({ state: "warn" });
		expect(Object.values(found).filter((check) => check.state === "fail")).toEqual([]);
		expect(readdirSync(folder)).toEqual([]);
	});

	it("doctor: open permissions, a wrong flag and a held socket fail with a remedy", async () => {
		prepareFolders(paths);
		prepareHome(paths, () => "m");
		chmodSync(paths.token, 0o644);
		const server = createServer().listen(paths.coordSocket);
		await once(server, "listening");
		const found = await examine({ WEAVE_FLAGS: "nope" });
		expect(found["permissions"]).toMatchObject({ state: "fail", remedy: `\`chmod 600 ${paths.token}\`` });
		expect(found["flags"]?.state).toBe("fail");
		expect(found["sockets"]?.state).toBe("fail");
		expect(found["sockets"]?.detail).toContain(`pid ${process.pid}`);
		server.close();
	});

	it("doctor: the codex program is missed only where it runs the turns", async () => {
		const env = { HOMIE_CODEX_BIN: join(folder, "nowhere") };
		expect((await examine(env))["codex"]).toMatchObject({ state: "ok" });
		const wanted = (await examine({ ...env, HOMIE_AGENT_BACKEND: "cli" }))["codex"];
		expect(wanted).toMatchObject({ state: "fail" });
		expect(wanted?.detail).toContain("nowhere was not found");
	});

	it("doctor: a row of the audit log that was changed fails, and is named", async () => {
		prepareFolders(paths);
		await using store = await openTestStore({ path: paths.database });
		const entry = { actor: "#amber", client: "cli", machine_id: "m", action: "command.done", detail: {} };
		await store.write(auditAppend, entry);
		expect((await examine())["audit"]).toMatchObject({ state: "ok", detail: "1 rows, the chain holds" });
		const raw = openConnection(paths.database);
		raw.database.exec("DROP TRIGGER audit_no_update; UPDATE audit SET actor = '#other'");
		raw.close();
		const found = (await examine())["audit"];
		expect(found?.state).toBe("fail");
		expect(found?.detail).toContain("row 1");
	});

	it("doctor: tells a sound database, a damaged one, and one that was set aside", async () => {
		prepareFolders(paths);
		await (await openTestStore({ path: paths.database }))[Symbol.asyncDispose]();
		expect((await examine())["database"]?.state).toBe("ok");
		expect(readdirSync(paths.home).filter((name) => name.startsWith("homie.db"))).toEqual(["homie.db"]);
		writeFileSync(paths.database, "no database ".repeat(1000));
		expect((await examine())["database"]?.state).toBe("fail");
		await (await openTestStore({ path: paths.database }))[Symbol.asyncDispose]();
		const after = (await examine())["database"];
		expect(after).toMatchObject({ state: "warn" });
		expect(after?.remedy).toContain(".recover");
	});
});

describe("sweep", () => {
	it("sweep: removes what a killed daemon left, and nothing of a living one", async () => {
		prepareFolders(paths);
		writeFileSync(paths.discovery, JSON.stringify({ pid: 999_999, start_time: "1" }));
		writeFileSync(paths.lock, "");
		writeFileSync(`${paths.lock}.holder`, "{}");
		const server = createServer().listen(paths.coordSocket);
		await once(server, "listening");
		await sweepDeadDaemon(paths);
		expect(readdirSync(paths.home).sort()).toEqual(["logs"]);
		expect(existsSync(paths.coordSocket)).toBe(true);
		server.close();
	});
});
