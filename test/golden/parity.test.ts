import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oracleMissing } from "#test/support/codex-oracle.ts";
import { startCodexSide } from "./parity/codex-side.ts";
import { comparable } from "./parity/difference.ts";
import { startOurSide } from "./parity/our-side.ts";
import { play } from "./parity/run.ts";
import { SCENARIOS } from "./parity/scenario.ts";
import type { Side } from "./parity/side.ts";

const missing = oracleMissing();
if (missing !== null) console.log(`parity with the real codex: skipped, ${missing}`);

describe.skipIf(missing !== null)("parity with the real codex", () => {
	let root: string;
	let codex: Side;
	let ours: Side;

	beforeAll(async () => {
		root = await realpath(await mkdtemp(join(tmpdir(), "parity-")));
		[codex, ours] = await Promise.all([startCodexSide(root), startOurSide(root)]);
	});
	afterAll(async () => {
		await Promise.all([codex?.[Symbol.asyncDispose](), ours?.[Symbol.asyncDispose]()]);
		await rm(root, { recursive: true, force: true, maxRetries: 5 });
	});

	for (const [index, scenario] of SCENARIOS.entries()) {
		test(`parity: the same events, requests and diff when ${scenario.name}`, async () => {
			const [real, own] = await Promise.all([
				play(scenario, codex, join(root, `c${index}`)),
				play(scenario, ours, join(root, `o${index}`)),
			]);
			const texts = comparable(scenario.name, { codex: real, ours: own });
			expect(texts.ours).toBe(texts.codex);
		}, 20_000);
	}
});
