import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFileMethods } from "#daemon/codex/installation/file-methods.ts";
import { createFakeConnection } from "./fake-connection.ts";

let root: string;
let home: string;
const client = createFakeConnection();
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "codex-fence-"));
	home = join(root, "home");
	await mkdir(home);
	await writeFile(join(home, "token"), "secret");
	await symlink(home, join(root, "way"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function ask(method: string, params: Record<string, unknown>): Promise<unknown> {
	return createFileMethods([home])[method]?.(params, client);
}

test.each([
	["fs/readFile", { path: "home/token" }],
	["fs/readFile", { path: "way/token" }],
	["fs/readFile", { path: "way/../home/token" }],
	["fs/writeFile", { path: "way/token", dataBase64: "" }],
	["fs/createDirectory", { path: "home/new" }],
	["fs/getMetadata", { path: "home/token" }],
	["fs/readDirectory", { path: "way" }],
	["fs/remove", { path: "home/token" }],
	["fs/remove", { path: "" }],
	["fs/copy", { sourcePath: "home/token", destinationPath: "copy" }],
	["fs/copy", { sourcePath: "", destinationPath: "copy", recursive: true }],
	["fs/copy", { sourcePath: "note", destinationPath: "way/token" }],
	["fs/watch", { path: "way", watchId: "w" }],
])("fs: %s %j is refused when it leads to a home of ours", async (method, params) => {
	await writeFile(join(root, "note"), "note");
	const placed = Object.fromEntries(
		Object.entries(params).map(([name, value]) => [
			name,
			/path/i.test(name) ? `${root}/${String(value)}` : value,
		]),
	);
	await expect(ask(method, placed)).rejects.toThrow("Permission denied (os error 13)");
	expect(await readFile(join(home, "token"), "utf8")).toBe("secret");
	expect(await readdir(home)).toEqual(["token"]);
	expect(await readdir(root)).toEqual(["home", "note", "way"]);
});

test("fs: a pipe, a device and what no client could take are refused at once", async () => {
	const pipe = join(root, "pipe");
	execFileSync("mkfifo", [pipe]);
	await writeFile(join(root, "big"), "");
	await truncate(join(root, "big"), 2 ** 40);
	await expect(ask("fs/readFile", { path: pipe })).rejects.toThrow("is not a regular file");
	await expect(ask("fs/writeFile", { path: pipe, dataBase64: "" })).rejects.toThrow("is not a regular file");
	await expect(ask("fs/copy", { sourcePath: pipe, destinationPath: join(root, "to") })).rejects.toThrow();
	await expect(ask("fs/readFile", { path: "/dev/zero" })).rejects.toThrow("is not a regular file");
	await expect(ask("fs/readFile", { path: join(root, "big") })).rejects.toThrow("too large");
	await expect(ask("fs/readFile", { path: root })).rejects.toThrow("Is a directory (os error 21)");
});
