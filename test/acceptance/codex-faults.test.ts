import { describe, expect, test } from "vitest";
import { createRandom } from "#test/support/fuzz/random.ts";
import { createKillBench, runKillRound } from "#test/support/kill-round.ts";

/** `npm run soak` takes fifty; here a few, each at another moment on every run. */
const ROUNDS = Number(process.env["FAULT_ROUNDS"] ?? 4);
const SEED = Number(process.env["FAULT_SEED"] ?? Date.now() % 2 ** 31);

describe("acceptance: kill -9 at random moments", () => {
	test(`no acknowledged item is lost and nothing is done twice, FAULT_SEED=${SEED}`, {
		timeout: 600_000,
	}, async () => {
		const random = createRandom(SEED);
		await using bench = await createKillBench();
		let client = await bench.start();
		for (let round = 0; round < ROUNDS; round += 1) {
			const { wrong, next } = await runKillRound(bench, client, { random, round: `r${round}` });
			expect(wrong, `round ${round} of FAULT_SEED=${SEED}`).toEqual([]);
			client = next;
		}
		client[Symbol.dispose]();
		const { checks } = await bench.product.json<{ checks: { name: string; state: string }[] }>(
			"doctor",
			"--json",
		);
		expect(checks.find((check) => check.name === "audit")).toMatchObject({ state: "ok" });
	});
});
