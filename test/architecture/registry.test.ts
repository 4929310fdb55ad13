import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_TABLE } from "#base/error-table.ts";
import { COMMANDS } from "#cli/command/index.ts";
import { VERSION } from "#protocol/limits.ts";
import { SCOPES } from "#protocol/scope.ts";
import { METHODS } from "#protocol/service/index.ts";
import { TOPICS } from "#protocol/topic/index.ts";

const root = join(import.meta.dirname, "../..");

function duplicatesOf(names: readonly (string | number)[]): (string | number)[] {
	return names.filter((name, index) => names.indexOf(name) !== index);
}

function foldersOf(path: string): string[] {
	return readdirSync(path).filter((name) => statSync(join(path, name)).isDirectory());
}

describe("registry", () => {
	test("registry: names of methods, topics and commands are unique", () => {
		expect(duplicatesOf(METHODS.map((method) => method.name))).toEqual([]);
		expect(duplicatesOf(TOPICS.map((topic) => topic.name))).toEqual([]);
		expect(duplicatesOf(COMMANDS.map((command) => `${command.program} ${command.name}`))).toEqual([]);
	});

	test("registry: every method and topic has a scope that exists", () => {
		for (const { name, scope } of [...METHODS, ...TOPICS]) expect(SCOPES, name).toContain(scope);
	});

	test("errors: wire numbers are unique, every row has a remedy, the reference has every code and no other", () => {
		expect(duplicatesOf(Object.values(ERROR_TABLE).map((row) => row.wire))).toEqual([]);
		for (const [code, row] of Object.entries(ERROR_TABLE)) expect(row.remedy.length, code).toBeGreaterThan(8);
		const reference = readFileSync(join(root, "docs/reference/errors.md"), "utf8");
		const named = new Set(Array.from(reference.matchAll(/^\| `([A-Z_]+)`/gm), (match) => match[1] ?? ""));
		expect(named).toEqual(new Set(Object.keys(ERROR_TABLE)));
	});

	test("version: package.json and the protocol say the same", () => {
		expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version).toBe(VERSION);
	});

	test("package: every version is exact", () => {
		const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
		for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
			expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
		}
	});

	test("dependencies: each has a line in docs/adr/dependencies.md", () => {
		const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
		const document = readFileSync(join(root, "docs/adr/dependencies.md"), "utf8");
		for (const name of Object.keys({ ...dependencies, ...devDependencies }))
			expect(document).toContain(`\`${name}\``);
	});

	test("modules: each module folder says what it is for, in at most 30 lines", () => {
		const folders = [
			...foldersOf(join(root, "src")).map((name) => `src/${name}`),
			...foldersOf(join(root, "daemon")).map((name) => `daemon/${name}`),
			"tui",
		];
		for (const folder of folders) {
			const path = join(root, folder, "AGENT_MODULE.md");
			expect(existsSync(path), path).toBe(true);
			expect(readFileSync(path, "utf8").trimEnd().split("\n").length, path).toBeLessThanOrEqual(30);
		}
	});

	test("commands: each has an example and no heavy import at the top of its file", () => {
		for (const command of COMMANDS) expect(command.examples.length, command.name).toBeGreaterThan(0);
		const heavy =
			/^import (?!type).*from "(ink|react|conf|execa|ws|zod|node-pty|@xterm\/.*|#client\/.*|#daemon\/.*)"/m;
		for (const file of readdirSync(join(root, "src/cli/command"))) {
			expect(readFileSync(join(root, "src/cli/command", file), "utf8"), file).not.toMatch(heavy);
		}
	});
});
