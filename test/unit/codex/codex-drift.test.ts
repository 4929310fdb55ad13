import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "#platform/package-root.ts";
import { oracleMissing } from "#test/support/codex-oracle.ts";

interface Surface {
	requests: Record<string, unknown>;
	notifications: Record<string, unknown>;
	serverRequests: Record<string, unknown>;
}

interface SchemaModule {
	parseSchema(files: Readonly<Record<string, string>>): unknown;
	surfaceOf(schema: unknown): Surface;
	compareSurfaces(before: Surface, after: Surface): Record<"added" | "removed" | "changed", unknown[]>;
}

const root = packageRoot();
const { parseSchema, surfaceOf, compareSurfaces } = (await import(
	join(root, "scripts/codex-schema.mjs")
)) as SchemaModule;

function surface(files: Readonly<Record<string, string>>): Surface {
	return surfaceOf(parseSchema(files));
}

const BEFORE = {
	"ClientRequest.ts":
		'export type ClientRequest ={ "method": "a/do", id: RequestId, params: ADoParams, } | { "method": "b/do", id: RequestId, params: undefined, };',
	"ServerNotification.ts":
		'export type ServerNotification = { "method": "a/done", "params": ADoneNotification };',
	"ServerRequest.ts": "export type ServerRequest = never;",
	"v2/ADoParams.ts": "// generated\nexport type ADoParams = { name: string, inner: Inner, };",
	"v2/ADoResponse.ts": "export type ADoResponse = { ok: boolean, };",
	"v2/ADoneNotification.ts": "/** told */\nexport type ADoneNotification = { name: string, };",
	"v2/Inner.ts": "export type Inner = { depth: number, };",
};

describe("codex drift", () => {
	test("codex drift: nothing is named when the two are the same but for comments and white space", () => {
		const after = {
			...BEFORE,
			"v2/Inner.ts": "/** new words */\nexport type Inner = {\n  depth: number, };",
		};
		expect(compareSurfaces(surface(BEFORE), surface(after))).toEqual({ added: [], removed: [], changed: [] });
	});

	test("codex drift: methods that came, went and changed are named with their members", () => {
		const after = {
			...BEFORE,
			"ClientRequest.ts":
				'export type ClientRequest ={ "method": "a/do", id: RequestId, params: ADoParams, };',
			"ServerNotification.ts":
				'export type ServerNotification = { "method": "a/done", "params": ADoneNotification } | { "method": "c/done", "params": CDone };',
			"v2/ADoParams.ts": "export type ADoParams = { title: string, inner: Inner, };",
		};
		expect(compareSurfaces(surface(BEFORE), surface(after))).toEqual({
			added: [{ kind: "notifications", method: "c/done" }],
			removed: [{ kind: "requests", method: "b/do" }],
			changed: [{ kind: "requests", method: "a/do", parts: ["params: +title -name"] }],
		});
	});

	test("codex drift: a method is changed when a type below its params is", () => {
		const after = { ...BEFORE, "v2/Inner.ts": "export type Inner = { depth: string, };" };
		expect(compareSurfaces(surface(BEFORE), surface(after)).changed).toEqual([
			{ kind: "requests", method: "a/do", parts: ["params: a type below it"] },
		]);
	});

	test("codex drift: the committed surface names the methods that the golden scenarios use", () => {
		const file = join(root, "src/protocol/codex/surface.generated.json");
		const { stable } = JSON.parse(readFileSync(file, "utf8")) as { stable: Surface };
		expect(Object.keys(stable.requests)).toEqual(
			expect.arrayContaining(["thread/start", "turn/start", "review/start", "command/exec"]),
		);
		expect(Object.keys(stable.notifications)).toContain("turn/completed");
		expect(Object.keys(stable.serverRequests)).toContain("item/commandExecution/requestApproval");
	});

	test.skipIf(oracleMissing() !== null)("codex drift: the pinned Codex is what is committed", () => {
		const codex = join(root, "test/oracle/node_modules/.bin/codex");
		const run = spawnSync(
			process.execPath,
			[join(root, "scripts/codex-drift.mjs"), "--codex", codex, "--json"],
			{
				encoding: "utf8",
			},
		);
		expect(JSON.parse(run.stdout)).toEqual({ added: [], removed: [], changed: [] });
		expect(run.status).toBe(0);
	});
});
