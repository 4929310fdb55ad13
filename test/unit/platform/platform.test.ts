import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { isSameProcess, readProcessIdentity } from "#platform/identity.ts";
import { readToken } from "#platform/token.ts";

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "platform-"));
});
afterEach(async () => {
	await rm(folder, { recursive: true, force: true });
});

describe("platform", () => {
	it("atomic file: replaces whole, private, and leaves nothing else", () => {
		const path = join(folder, "x.json");
		writeFileSync(path, "old", { mode: 0o644 });
		writeFileAtomic(path, "new");
		expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777, readdirSync(folder)]).toEqual([
			"new",
			0o600,
			["x.json"],
		]);
	});

	it("atomic file: a failure leaves the old file and no temporary one", () => {
		const target = join(folder, "taken");
		writeFileAtomic(join(folder, "a"), "1");
		expect(() => writeFileAtomic(join(target, "x"), "1")).toThrow("ENOENT");
		expect(readdirSync(folder)).toEqual(["a"]);
	});

	it("identity: a process is itself until it ends, and its number with another start is not", async () => {
		const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
			stdio: ["pipe", "ignore", "ignore"],
		});
		await once(child, "spawn");
		const identity = readProcessIdentity(child.pid ?? 0);
		if (!identity) throw new Error("the child has no identity");
		expect(isSameProcess(identity)).toBe(true);
		expect(isSameProcess({ pid: identity.pid, start_time: "other" })).toBe(false);
		expect(readProcessIdentity(process.pid)?.start_time).not.toBe(identity.start_time);
		child.stdin.end();
		await once(child, "exit");
		expect(isSameProcess(identity)).toBe(false);
		expect(readProcessIdentity(-1)).toBeUndefined();
	});

	it("token: missing or empty is AUTH_REQUIRED", () => {
		const token = join(folder, "token");
		expect(() => readToken({ token })).toThrow(expect.objectContaining({ code: "AUTH_REQUIRED" }));
		writeFileSync(token, "\n");
		chmodSync(token, 0o600);
		expect(() => readToken({ token })).toThrow(expect.objectContaining({ code: "AUTH_REQUIRED" }));
		writeFileSync(token, "abc\n");
		expect(readToken({ token })).toBe("abc");
	});
});
