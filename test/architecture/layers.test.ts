import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
/** One forbidden import per rule of biome.json: [where, what is written there]. */
const PLANTED: readonly (readonly [rule: string, file: string, code: string])[] = [
	[
		"base imports nobody",
		"src/base/planted.ts",
		'import { VERSION } from "#protocol/limits.ts";\nexport const x = VERSION;\n',
	],
	[
		"base is runtime-neutral",
		"src/base/planted.ts",
		'import { join } from "node:path";\nexport const x = join;\n',
	],
	[
		"protocol is below the client",
		"src/protocol/planted.ts",
		'import type { DaemonClient } from "#client/client.ts";\nexport type X = DaemonClient;\n',
	],
	[
		"protocol is runtime-neutral",
		"src/protocol/planted.ts",
		'import { join } from "node:path";\nexport const x = join;\n',
	],
	[
		"terminal is runtime-neutral",
		"src/terminal/planted.ts",
		'import { join } from "node:path";\nexport const x = join;\n',
	],
	[
		"the client core is runtime-neutral",
		"src/client/planted.ts",
		'import { join } from "node:path";\nexport const x = join;\n',
	],
	[
		"the client never knows the daemon",
		"src/client/node/planted.ts",
		'import type { Store } from "#daemon/storage/store.ts";\nexport type X = Store;\n',
	],
	[
		"platform is below config",
		"src/platform/planted.ts",
		'import { CONFIG_KEYS } from "#config/schema.ts";\nexport const x = CONFIG_KEYS;\n',
	],
	[
		"config is below the command line",
		"src/config/planted.ts",
		'import { main } from "#cli/main.ts";\nexport const x = main;\n',
	],
	[
		"the command line never knows the daemon",
		"src/cli/planted.ts",
		'import type { Store } from "#daemon/storage/store.ts";\nexport type X = Store;\n',
	],
	[
		"the command line never knows ink",
		"src/cli/planted.ts",
		'import { Box } from "ink";\nexport const x = Box;\n',
	],
	[
		"the daemon never knows its front ends",
		"daemon/lifecycle/planted.ts",
		'import { main } from "#cli/main.ts";\nexport const x = main;\n',
	],
	[
		"the daemon never knows the TUI, by path",
		"daemon/lifecycle/planted.ts",
		'import { runTui } from "../../tui/entry.tsx";\nexport const x = runTui;\n',
	],
	[
		"SQLite lives in storage",
		"daemon/bus/planted.ts",
		'import { DatabaseSync } from "node:sqlite";\nexport const x = DatabaseSync;\n',
	],
	[
		"node-pty lives in pty",
		"daemon/bus/planted.ts",
		'import { spawn } from "node-pty";\nexport const x = spawn;\n',
	],
	[
		"ws lives in gateway",
		"daemon/bus/planted.ts",
		'import { WebSocket } from "ws";\nexport const x = WebSocket;\n',
	],
	[
		"execa lives in platform",
		"daemon/bus/planted.ts",
		'import { execa } from "execa";\nexport const x = execa;\n',
	],
	["conf lives in config", "src/cli/planted.ts", 'import Conf from "conf";\nexport const x = Conf;\n'],
	[
		"the agent loop sees ports only",
		"daemon/agent/loop/planted.ts",
		'import { createHub } from "#daemon/gateway/create-hub.ts";\nexport const x = createHub;\n',
	],
	[
		"the runtime sees ports only",
		"daemon/runtime/planted.ts",
		'import type { Store } from "../storage/store.ts";\nexport type X = Store;\n',
	],
	[
		"the TUI goes through the client",
		"tui/planted.ts",
		'import type { Store } from "#daemon/storage/store.ts";\nexport type X = Store;\n',
	],
	["no default exports", "src/base/planted.ts", "export default 1;\n"],
	["no any", "src/base/planted.ts", "export const x: any = 1;\n"],
	["no console", "daemon/bus/planted.ts", 'console.log("x");\n'],
	["file names are kebab-case", "src/base/plantedName.ts", "export const x = 1;\n"],
];

let copy = "";

function lint(file: string): { status: number | null; output: string } {
	const { status, stdout, stderr } = spawnSync(
		join(root, "node_modules/.bin/biome"),
		["lint", "--error-on-warnings", file],
		{
			cwd: copy,
			encoding: "utf8",
		},
	);
	return { status, output: stdout + stderr };
}

describe("architecture", () => {
	beforeAll(() => {
		copy = mkdtempSync(join(tmpdir(), "weave-layers-"));
		for (const name of ["src", "daemon", "tui"]) {
			cpSync(join(root, name), join(copy, name), { recursive: true });
		}
		for (const name of ["package.json", "tsconfig.json", "tsconfig.base.json"])
			cpSync(join(root, name), join(copy, name));
		const config = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
		writeFileSync(join(copy, "biome.json"), JSON.stringify({ ...config, $schema: undefined }));
		symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
	});
	afterAll(() => rmSync(copy, { recursive: true, force: true }));

	test.each(PLANTED)("linter: a planted violation is caught: %s", (_rule, file, code) => {
		const path = join(copy, file);
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, code);
		try {
			const { status, output } = lint(file);
			expect(output).not.toContain("No files were processed");
			expect(status, output).not.toBe(0);
		} finally {
			rmSync(path);
		}
	});

	test("linter: an innocent file passes, so the failures above mean something", () => {
		writeFileSync(join(copy, "src/base/planted.ts"), "/** One. */\nexport const one = 1;\n");
		const { status, output } = lint("src/base/planted.ts");
		rmSync(join(copy, "src/base/planted.ts"));
		expect(status, output).toBe(0);
	});
});
