import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder } from "#platform/make-folder.ts";

let dir: string;
beforeAll(() => {
	dir = mkdtempSync(join(tmpdir(), "weave-folder-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("make folder", () => {
	test("folder: makes what is missing above it, private, and leaves one that is there", () => {
		const path = join(dir, "a/b/c");
		makeFolder(path);
		makeFolder(path);
		expect(statSync(path).mode & 0o777).toBe(0o700);
	});

	test("folder: a file in the way is an error", () => {
		writeFileSync(join(dir, "file"), "");
		expect(() => makeFolder(join(dir, "file"))).toThrow(/EEXIST/);
		expect(() => makeFolder(join(dir, "file/below"))).toThrow(/ENOTDIR/);
	});

	test.skipIf(!existsSync("/proc/self"))("folder: ends where the system never lets it be made", () => {
		expect(() => makeFolder("/proc/no-such/home")).toThrow(/ENOENT/);
	});
});
