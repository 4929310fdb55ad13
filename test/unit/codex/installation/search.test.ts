import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFileMethods } from "#daemon/codex/installation/file-methods.ts";
import { createFuzzyMethods } from "#daemon/codex/installation/fuzzy-methods.ts";
import { createModelMethods } from "#daemon/codex/installation/model-methods.ts";
import type { CodexConnection } from "#daemon/codex/method.ts";

let root: string;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "codex-search-"));
	await mkdir(join(root, "src"));
	await writeFile(join(root, "README.md"), "# x\n");
	await writeFile(join(root, "src", "a.txt"), "hello\n");
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A connection that keeps what it was told; `closed` ends it. */
function createClient() {
	const told: [string, unknown][] = [];
	const closing: (() => void)[] = [];
	const after: (() => void)[] = [];
	const connection: CodexConnection = {
		...{ connectionId: "1", label: "test", experimentalApi: true },
		client: { name: "test", title: null, version: "0" },
		notify: (method, params) => void told.push([method, params]),
		broadcast: (method, params) => void told.push([method, params]),
		request: () => Promise.reject(new Error("not asked here")),
		onClose(listener) {
			closing.push(listener);
			return { [Symbol.dispose]: () => undefined };
		},
		afterResponse: (action) => void after.push(action),
	};
	return {
		told,
		connection,
		answered: () => {
			for (const action of after.splice(0)) action();
		},
		closed: () => {
			for (const listener of closing) listener();
		},
	};
}

async function until(check: () => boolean): Promise<void> {
	while (!check()) await new Promise((resolve) => setImmediate(resolve));
}

describe("fuzzyFileSearch", () => {
	test("fuzzyFileSearch: a name that holds the query goes over scattered letters", async () => {
		const { connection } = createClient();
		const search = createFuzzyMethods()["fuzzyFileSearch"];
		const found = await search?.({ query: "READ", roots: [root], cancellationToken: null }, connection);
		expect(found).toMatchObject({
			files: [{ root, path: "README.md", match_type: "file", file_name: "README.md", indices: [0, 1, 2, 3] }],
		});
		expect(await search?.({ query: "srcat", roots: [root] }, connection)).toMatchObject({
			files: [{ path: "src/a.txt", indices: [0, 1, 2, 4, 6] }],
		});
		expect(await search?.({ query: "", roots: [root] }, connection)).toEqual({ files: [] });
	});

	test("fuzzyFileSearch: a session tells matches of each query until it is stopped", async () => {
		const client = createClient();
		const methods = createFuzzyMethods();
		await methods["fuzzyFileSearch/sessionStart"]?.({ sessionId: "s", roots: [root] }, client.connection);
		client.answered();
		await until(() => client.told.length === 2);
		await methods["fuzzyFileSearch/sessionUpdate"]?.({ sessionId: "s", query: "read" }, client.connection);
		client.answered();
		await until(() => client.told.length === 4);
		expect(client.told[2]).toMatchObject([
			"fuzzyFileSearch/sessionUpdated",
			{ sessionId: "s", query: "read", files: [{ path: "README.md" }] },
		]);
		await methods["fuzzyFileSearch/sessionStop"]?.({ sessionId: "s" }, client.connection);
		expect(() =>
			methods["fuzzyFileSearch/sessionUpdate"]?.({ sessionId: "s", query: "x" }, client.connection),
		).toThrow("fuzzy file search session not found: s");
	});
});

describe("fs methods", () => {
	test("fs: a file is written, read, copied and removed with the real server's answers", async () => {
		const { connection } = createClient();
		const methods = createFileMethods();
		const path = join(root, "new.txt");
		expect(await methods["fs/writeFile"]?.({ path, dataBase64: "aGk=" }, connection)).toEqual({});
		expect(await methods["fs/readFile"]?.({ path }, connection)).toEqual({ dataBase64: "aGk=" });
		expect(await methods["fs/getMetadata"]?.({ path }, connection)).toMatchObject({ isFile: true });
		const copy = { sourcePath: join(root, "src"), destinationPath: join(root, "to") };
		await expect(methods["fs/copy"]?.(copy, connection)).rejects.toThrow("fs/copy requires recursive: true");
		expect(await methods["fs/remove"]?.({ path }, connection)).toEqual({});
		await expect(methods["fs/readFile"]?.({ path }, connection)).rejects.toMatchObject({
			code: -32603,
			message: "No such file or directory (os error 2)",
		});
	});

	test("fs/watch: a change is told until the client goes away", async () => {
		const client = createClient();
		const methods = createFileMethods();
		await methods["fs/watch"]?.({ path: root, watchId: "w" }, client.connection);
		await writeFile(join(root, "README.md"), "# y\n");
		await until(() => client.told.length > 0);
		expect(client.told[0]).toMatchObject(["fs/changed", { watchId: "w" }]);
		client.closed();
	});
});

describe("model methods", () => {
	test("model/list: pages go on where they ended, with one default model", async () => {
		const { connection } = createClient();
		const list = createModelMethods({ codexHome: root })["model/list"];
		const all = (await list?.({}, connection)) as {
			data: { id: string; isDefault: boolean; hidden: boolean }[];
		};
		expect(all.data.filter((model) => model.isDefault)).toHaveLength(1);
		expect(all.data.every((model) => !model.hidden)).toBe(true);
		expect(await list?.({ limit: 1, cursor: "1" }, connection)).toMatchObject({
			data: [{ id: all.data[1]?.id }],
			nextCursor: "2",
		});
		expect(() => list?.({ cursor: "zz" }, connection)).toThrow("invalid cursor: zz");
	});
});
