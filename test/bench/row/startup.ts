import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createProduct, NODE, type Product, ROOT } from "../../support/product.ts";
import { type BenchRow, interleaved, ms } from "../bench.ts";

/** Wall time of a whole process, output thrown away. */
export function runMs(args: readonly string[], env?: Record<string, string>): Promise<number> {
	return new Promise((resolve, reject) => {
		const started = performance.now();
		const child = spawn(NODE, [...args], { stdio: "ignore", ...(env ? { env } : {}) });
		child.on("error", reject);
		child.on("exit", (code) => {
			if (code === 0) resolve(performance.now() - started);
			else reject(new Error(`${args.join(" ")} exited ${code}`));
		});
	});
}

const nothing = (): Promise<number> => runMs(["-e", "0"]);

async function withDaemon<T>(use: (product: Product) => Promise<T>): Promise<T> {
	await using product = await createProduct();
	const { code, stderr } = await product.weave("start", "--no-tui");
	if (code !== 0) throw new Error(stderr);
	return await use(product);
}

function rssMiB(pid: number | undefined): number {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const shim = (name = "weave-codex"): string => join(ROOT, "bin", `${name}.js`);

export const startupRows: readonly BenchRow[] = [
	{
		name: "`node bin/weave-codex.js --version`",
		bar: "≤ 2 × `node -e 0`",
		async measure({ rounds }) {
			await runMs([shim(), "--version"]);
			const { ours, baseline, ratio } = await interleaved(
				rounds * 5,
				() => runMs([shim(), "--version"]),
				nothing,
			);
			return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 2 };
		},
	},
	{
		name: "`status --json` against a running daemon",
		bar: "≤ 3 × `node -e 0`",
		measure: ({ rounds }) =>
			withDaemon(async (product) => {
				const status = (): Promise<number> => runMs([shim(), "status", "--json"], product.env);
				await status();
				const { ours, baseline, ratio } = await interleaved(rounds * 5, status, nothing);
				return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 3 };
			}),
	},
	{
		name: "`start --no-tui` until it answers",
		bar: "≤ 12 × `node -e 0`",
		async measure({ rounds }) {
			await using product = await createProduct();
			async function start(): Promise<number> {
				const took = await runMs([shim(), "start", "--no-tui"], product.env);
				const { code, stderr } = await product.weave("stop");
				if (code !== 0) throw new Error(stderr);
				return took;
			}
			await start();
			const { ours, baseline, ratio } = await interleaved(rounds, start, nothing);
			return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 12 };
		},
	},
	{
		name: "idle memory of the daemon",
		bar: "≤ 130 MB",
		measure: () =>
			withDaemon(async (product) => {
				const value = rssMiB(product.daemonPid()) * 1.048_576;
				return {
					ours: `${value.toFixed(0)} MB`,
					baseline: "-",
					value,
					unit: "MB",
					ok: value <= 130,
					note: "RSS after start",
				};
			}),
	},
	{
		name: "idle memory of the pty-host, one shell",
		bar: "≤ 70 MB",
		measure: () =>
			withDaemon(async (product) => {
				await product.json("call", "terminal.session.start", "{}");
				const value = rssMiB(product.hostPid()) * 1.048_576;
				return {
					ours: `${value.toFixed(0)} MB`,
					baseline: "-",
					value,
					unit: "MB",
					ok: value <= 70,
					note: "RSS",
				};
			}),
	},
];
