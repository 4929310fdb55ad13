import { execFileSync } from "node:child_process";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLocalFiles } from "#daemon/agent/local-files.ts";

let root: string;
let files: ReturnType<typeof createLocalFiles>;

beforeEach(() => {
	root = realpathSync(mkdtempSync(join(tmpdir(), "weave-files-")));
	for (const folder of ["work", ".ssh"]) mkdirSync(join(root, folder));
	writeFileSync(join(root, ".ssh/id"), "SECRET");
	files = createLocalFiles({ folders: [join(root, ".ssh")], files: [], exposed: [] });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, "work", name);

describe("local files", () => {
	test("files: a link in a repository does not lead a reader to what is protected", async () => {
		symlinkSync(join(root, ".ssh/id"), at("AGENTS.md"));
		symlinkSync(join(root, ".ssh"), at("docs"));
		for (const name of ["AGENTS.md", "docs/id"])
			await expect(files.readText(at(name))).rejects.toMatchObject({ code: "TOOL_FAILED" });
	});

	test("files: nothing is written to or removed from what is protected", async () => {
		symlinkSync(join(root, ".ssh"), at("d"));
		await expect(files.writeText(at("d/id"), "x")).rejects.toMatchObject({ code: "TOOL_FAILED" });
		await expect(files.writeText(at("d/new"), "x")).rejects.toMatchObject({ code: "TOOL_FAILED" });
		await expect(files.remove(at("d/id"))).rejects.toMatchObject({ code: "TOOL_FAILED" });
		expect(readdirSync(join(root, ".ssh"))).toEqual(["id"]);
		expect(readFileSync(join(root, ".ssh/id"), "utf8")).toBe("SECRET");
	});

	test("files: what is no file, or without end, is refused and holds nobody up", async () => {
		execFileSync("/usr/bin/env", ["mkfifo", at("pipe")]);
		for (const path of [at("pipe"), "/dev/zero", root])
			await expect(files.readText(path)).rejects.toMatchObject({ code: "TOOL_FAILED" });
		expect(await files.readText(at("missing"))).toBeUndefined();
	});

	test("files: a written file keeps its rights, but not the right to run as its owner", async () => {
		writeFileSync(at("tool"), "old");
		chmodSync(at("tool"), 0o4755);
		await files.writeText(at("tool"), "new");
		expect(statSync(at("tool")).mode & 0o7777).toBe(0o755);
		expect(readFileSync(at("tool"), "utf8")).toBe("new");
		await files.writeText(at("a/b/c.txt"), "deep");
		expect(await files.readText(at("a/b/c.txt"))).toBe("deep");
		await files.remove(at("a/b/c.txt"));
		expect(existsSync(at("a/b/c.txt"))).toBe(false);
		expect(readdirSync(join(root, "work"))).toEqual(["a", "tool"]);
	});
});
