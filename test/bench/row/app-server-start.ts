import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { oracleBinary, oracleMissing } from "../../support/codex-oracle.ts";
import { createProduct, NODE, ROOT } from "../../support/product.ts";
import { startAppServer } from "../app-server.ts";
import { type BenchRow, interleaved, ms } from "../bench.ts";

type Launch = Parameters<typeof startAppServer>[0];

/** From the spawn to the answer of `initialize`; the server is gone when it resolves. */
async function greetedMs(launch: Launch): Promise<number> {
	const startedMs = performance.now();
	await using _server = await startAppServer(launch);
	return performance.now() - startedMs;
}

export const appServerStartRow: BenchRow = {
	name: "app-server: spawn → `initialize` answered, warm home",
	bar: "≤ 1 × the real `codex app-server`",
	available: () => oracleMissing() ?? true,
	async measure({ rounds }) {
		await using product = await createProduct();
		const { dir, env, work } = product;
		const binary = oracleBinary();
		if (binary === null) throw new Error(oracleMissing() ?? "");
		const codexHome = join(dir, "real-codex-home");
		await Promise.all([mkdir(codexHome), mkdir(product.codexHome, { recursive: true })]);
		const real: Launch = {
			argv: [binary, "app-server"],
			env: { ...env, CODEX_HOME: codexHome },
			cwd: work,
		};
		const own: Launch = { argv: [NODE, join(ROOT, "bin/weave-codex.js"), "app-server"], env, cwd: work };
		for (const launch of [real, own, real, own]) await greetedMs(launch);
		const starts = 5 + rounds * 3;
		const { ours, baseline, ratio } = await interleaved(
			starts,
			() => greetedMs(own),
			() => greetedMs(real),
		);
		const note = `no daemon runs yet, median of ${starts} starts`;
		return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 1, note };
	},
};
