import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunnerKind } from "#protocol/record.ts";
import { oracleMissing } from "#test/support/codex-oracle.ts";
import { startCodexSide } from "./codex-side.ts";
import { comparable } from "./difference.ts";
import { startOurSide } from "./our-side.ts";
import { play } from "./run.ts";
import { SCENARIOS } from "./scenario.ts";
import type { Side } from "./side.ts";

/** Every scenario on the real program and on our daemon with this backend, compared. */
export function describeParity(backend: RunnerKind): void {
	const missing = oracleMissing();
	if (missing !== null)
		console.log(`parity of the ${backend} backend with the real codex: skipped, ${missing}`);

	describe.skipIf(missing !== null)(`parity of the ${backend} backend with the real codex`, () => {
		let root: string;
		let codex: Side;
		let ours: Side;

		beforeAll(async () => {
			root = await realpath(await mkdtemp(join(tmpdir(), "parity-")));
			[codex, ours] = await Promise.all([startCodexSide(root), startOurSide(root, backend)]);
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
				const texts = comparable({ scenario: scenario.name, backend }, { codex: real, ours: own });
				expect(texts.ours).toBe(texts.codex);
			}, 20_000);
		}
	});
}
