import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { editConfig, parseKeyPath } from "#daemon/codex/installation/config-edit.ts";
import { createConfigMethods } from "#daemon/codex/installation/config-methods.ts";
import type { CodexConnection, CodexMethods } from "#daemon/codex/method.ts";

const TEXT = `# my settings
model = "gpt-5.5" # the good one
approval_policy = "never"

[projects."/a"]
trust_level = "trusted"

# servers
[model_providers.mock]
name = "mock"
extra = { one = 1, two = [
  1,
  2,
] }
`;

describe("config edit", () => {
	test("config edit: a value is replaced where it stands, and comments of other lines stay", () => {
		const edited = editConfig(TEXT, { path: ["model"], value: "x", strategy: "replace" });
		expect(edited).toContain('# my settings\nmodel = "x"\napproval_policy');
		expect(edited).toContain("# servers\n[model_providers.mock]");
	});

	test("config edit: a top-level key goes before the first table when it is new", () => {
		const edited = editConfig(TEXT, { path: ["sandbox_mode"], value: "read-only", strategy: "upsert" });
		expect(edited).toContain('approval_policy = "never"\nsandbox_mode = "read-only"\n');
	});

	test("config edit: a table gets its own header when it is new, and its key when it is there", () => {
		const value = { "/b": { trust_level: "trusted" } };
		const edited = editConfig(TEXT, { path: ["projects"], value, strategy: "upsert" });
		expect(edited).toContain('[projects."/b"]\ntrust_level = "trusted"\n');
		expect(edited).toContain('[projects."/a"]\ntrust_level = "trusted"\n');
		const again = editConfig(edited, {
			path: ["model_providers", "mock", "name"],
			value: "m",
			strategy: "replace",
		});
		expect(again).toContain('[model_providers.mock]\nname = "m"\nextra = {');
	});

	test("config edit: an inline table is written anew when a value in it changes", () => {
		const path = ["model_providers", "mock", "extra", "one"];
		expect(editConfig(TEXT, { path, value: 7, strategy: "replace" })).toContain(
			"extra = { one = 7, two = [1, 2] }",
		);
	});

	test("config edit: a table goes with all that is below it when it is taken away", () => {
		const edited = editConfig(TEXT, { path: ["projects"], value: null, strategy: "replace" });
		expect(edited).not.toContain("trust_level");
		expect(edited).toContain("# servers");
	});

	test("config edit: names with dots are read from quotes, and a broken path is none", () => {
		expect(parseKeyPath('projects."/a.b".trust_level')).toEqual(["projects", "/a.b", "trust_level"]);
		expect(parseKeyPath("a..b")).toBeUndefined();
		expect(parseKeyPath('a."b')).toBeUndefined();
	});
});

describe("config methods", () => {
	let home: string;
	let methods: CodexMethods;
	const nobody = {} as unknown as CodexConnection;

	function call(method: string, params: Readonly<Record<string, unknown>>): unknown {
		return methods[method]?.(params, nobody);
	}

	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "codex-config-"));
		methods = createConfigMethods({ codexHome: home, cwd: home });
	});
	afterEach(() => rm(home, { recursive: true, force: true }));

	test("config/read: says defaults, values, origins and layers when a file is there", async () => {
		await writeFile(join(home, "config.toml"), TEXT.replace(/extra[\s\S]*/, ""));
		const read = call("config/read", { includeLayers: true });
		expect(read).toMatchObject({
			config: {
				model: "gpt-5.5",
				sandbox_mode: null,
				project_doc_max_bytes: 32768,
				model_providers: { mock: { name: "mock", wire_api: "responses", env_key: null } },
			},
			layers: [{ name: { type: "user" } }, { name: { type: "system" } }],
		});
		expect(Object.keys((read as { origins: object }).origins)).toContain("projects./a.trust_level");
	});

	test("config/read: ends and is meant from the server's folder when the folder is relative", async () => {
		await mkdir(join(home, "sub/.codex"), { recursive: true });
		await writeFile(join(home, "sub/.codex/config.toml"), 'model = "of-the-project"\n');
		await writeFile(
			join(home, "config.toml"),
			`[projects.${JSON.stringify(join(home, "sub"))}]\ntrust_level = "trusted"\n`,
		);
		expect(call("config/read", { cwd: "." })).toMatchObject({ config: { model: null } });
		expect(call("config/read", { cwd: "sub" })).toMatchObject({ config: { model: "of-the-project" } });
	});

	test("config/read: the version of an empty layer is the real server's", () => {
		const read = call("config/read", { includeLayers: true }) as { layers: { version: string }[] };
		expect(read.layers[0]?.version).toBe(
			"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		);
	});

	test("config/value/write: is refused in the real server's words when the request is wrong", () => {
		const model = { keyPath: "model", value: "x", mergeStrategy: "replace" };
		expect(() => call("config/value/write", { ...model, expectedVersion: "sha256:00" })).toThrow(
			"Configuration was modified since last read. Fetch latest version and retry.",
		);
		expect(() => call("config/value/write", { ...model, filePath: "/etc/x" })).toThrow(
			"Only writes to the user config are allowed",
		);
		expect(() => call("config/value/write", { ...model, keyPath: "" })).toThrow("keyPath must not be empty");
		expect(() => call("config/value/write", { ...model, value: 7 })).toThrow("invalid type: integer `7`");
	});

	test("config/batchWrite: all edits are in the file and the answer names its version when it is done", async () => {
		const edits = [
			{ keyPath: "model", value: "x", mergeStrategy: "replace" },
			{ keyPath: 'projects."/y".trust_level', value: "trusted", mergeStrategy: "upsert" },
		];
		const written = call("config/batchWrite", { edits }) as { version: string };
		expect(await readFile(join(home, "config.toml"), "utf8")).toBe(
			'model = "x"\n\n[projects."/y"]\ntrust_level = "trusted"\n',
		);
		const read = call("config/read", { includeLayers: true }) as { layers: { version: string }[] };
		expect(read.layers[0]?.version).toBe(written.version);
	});
});
