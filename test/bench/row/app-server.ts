import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { oracleBinary, oracleMissing } from "../../support/codex-oracle.ts";
import { createProduct, NODE, ROOT } from "../../support/product.ts";
import { type ScriptedResponse, writeCodexHome } from "../../support/scripted-model.ts";
import { type AppServer, startAppServer, treeRssMb } from "../app-server.ts";
import { type BenchRow, interleaved, ms } from "../bench.ts";
import { startModelProcess } from "../model-process.ts";

/** Takes plain tools. */
const PLAIN_MODEL = "gpt-5.5";
/** The catalogue's default; it is offered a script tool. */
const SCRIPT_MODEL = "gpt-6.1-sol";
const WARM_UP_TURNS = 2;
/** Turns after which the memory is read, as contracts.md has it. */
const MEMORY_TURNS = 21;
/** Threads that run at once, as issue 3 has it. */
const THREADS = 50;

const TEXT: ScriptedResponse = { items: [{ type: "text", text: "All is well and was so before." }] };
const COMMAND: ScriptedResponse = {
	items: [{ type: "function_call", name: "exec_command", args: { cmd: "true" } }],
};
const SCRIPT: ScriptedResponse = {
	items: [
		{
			type: "custom_tool_call",
			name: "exec",
			input: 'const { output } = await tools.exec_command({ cmd: "true" });\ntext(output);\n',
		},
	],
};

interface Sides {
	readonly ours: AppServer;
	readonly codex: AppServer;
}

/** Both programs on stdio, each with a model of its own that plays `script` again and again for `plays` times. */
async function withBoth<T>(
	script: readonly ScriptedResponse[],
	plays: number,
	use: (sides: Sides) => Promise<T>,
): Promise<T> {
	const all = Array.from({ length: plays }, () => script).flat();
	await using product = await createProduct();
	const { dir, env, work } = product;
	await using ourModel = await startModelProcess(dir, "ours", all);
	await using codexModel = await startModelProcess(dir, "codex", all);
	const codexHome = join(dir, "real-codex-home");
	// The real one refuses a Codex home below TMPDIR, and this product's own folder is in one.
	const [codexWork, codexTmp] = [join(dir, "codex-work"), join(dir, "codex-tmp")];
	await Promise.all([mkdir(codexWork), mkdir(codexTmp)]);
	const quiet = "[analytics]\nenabled = false";
	writeCodexHome(product.codexHome, ourModel.url, quiet);
	writeCodexHome(codexHome, codexModel.url, quiet);
	const binary = oracleBinary();
	if (binary === null) throw new Error(oracleMissing() ?? "");
	// Whatever is not on this machine is refused at once, for both.
	const alone = {
		...env,
		TMPDIR: codexTmp,
		HTTPS_PROXY: "http://127.0.0.1:9",
		NO_PROXY: "127.0.0.1,localhost",
	};
	await using codex = await startAppServer({
		argv: [binary, "app-server"],
		env: { ...alone, CODEX_HOME: codexHome },
		cwd: codexWork,
	});
	await using ours = await startAppServer({
		argv: [NODE, join(ROOT, "bin/weave-codex.js"), "app-server"],
		env: alone,
		cwd: work,
	});
	return await use({ ours, codex });
}

function threadParams(model: string): Record<string, unknown> {
	return { model, approvalPolicy: "never", sandbox: "danger-full-access" };
}

async function warmThread(server: AppServer, model: string): Promise<() => Promise<number>> {
	const threadId = await server.startThread(threadParams(model));
	for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await server.turn(threadId);
	return () => server.turn(threadId);
}

const available = (): true | string => oracleMissing() ?? true;

function turnRow(
	name: string,
	{ bound, model, script }: { bound: number; model: string; script: readonly ScriptedResponse[] },
): BenchRow {
	return {
		name: `app-server on stdio, ${name}, instant model`,
		bar: `≤ ${bound} × the real \`codex app-server\``,
		available,
		measure({ rounds }) {
			const turns = 10 + rounds * 10;
			return withBoth(script, turns + WARM_UP_TURNS, async (sides) => {
				const [ourTurn, codexTurn] = [
					await warmThread(sides.ours, model),
					await warmThread(sides.codex, model),
				];
				const { ours, baseline, ratio } = await interleaved(turns, ourTurn, codexTurn);
				const note = `${model}, median of ${turns} turns`;
				return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= bound, note };
			});
		},
	};
}

async function memoryAfterTurns(server: AppServer, model: string): Promise<number> {
	const threadId = await server.startThread(threadParams(model));
	for (let turn = 0; turn < MEMORY_TURNS; turn += 1) await server.turn(threadId);
	return treeRssMb(server.pid);
}

function memoryRow(name: string, model: string, script: readonly ScriptedResponse[]): BenchRow {
	return {
		name: `app-server on stdio, memory after ${MEMORY_TURNS} ${name}`,
		bar: "≤ 1 × the real `codex app-server`",
		available: () => (existsSync("/proc/self/status") ? available() : "needs /proc"),
		measure: () =>
			withBoth(script, MEMORY_TURNS, async (sides) => {
				const real = await memoryAfterTurns(sides.codex, model);
				const own = await memoryAfterTurns(sides.ours, model);
				return {
					ours: `${own.toFixed(0)} MB`,
					baseline: `${real.toFixed(0)} MB`,
					value: own / real,
					unit: "×",
					ok: own <= real,
					note: `${model}, RSS of the process and all below it`,
				};
			}),
	};
}

/** Runs a turn in each of many threads at once; what each of them must have been told is counted. */
async function manyThreads(server: AppServer): Promise<() => Promise<number>> {
	const params = threadParams(PLAIN_MODEL);
	const threadIds: string[] = [];
	for (let made = 0; made < THREADS; made += 1) threadIds.push(await server.startThread(params));
	let runs = 0;
	async function run(): Promise<number> {
		const startedMs = performance.now();
		await Promise.all(threadIds.map((threadId) => server.turn(threadId)));
		const took = performance.now() - startedMs;
		runs += 1;
		for (const threadId of threadIds)
			for (const [method, each] of [
				["turn/started", 1],
				["turn/completed", 1],
				["item/completed", 2],
				["item/agentMessage/delta", 7],
			] as const) {
				const count = server.counts.get(`${threadId} ${method}`) ?? 0;
				if (count !== each * runs) throw new Error(`${threadId}: ${count} of ${each * runs} ${method}`);
			}
		return took;
	}
	await run();
	return run;
}

const manyRow: BenchRow = {
	name: `app-server on stdio, ${THREADS} threads at once, instant model`,
	bar: "no event lost or crossed; ≤ 1 × the real `codex app-server`",
	available,
	measure({ rounds }) {
		const runs = 2 + rounds;
		return withBoth([TEXT], THREADS * (runs + 1), async (sides) => {
			const [ourRun, codexRun] = [await manyThreads(sides.ours), await manyThreads(sides.codex)];
			const { ours, baseline, ratio } = await interleaved(runs, ourRun, codexRun);
			const note = `a turn in each, median of ${runs} runs; every thread got each of its events`;
			return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 1, note };
		});
	},
};

export const appServerRows: readonly BenchRow[] = [
	turnRow("text turn", { bound: 0.5, model: PLAIN_MODEL, script: [TEXT] }),
	turnRow("text turn, default model", { bound: 0.5, model: SCRIPT_MODEL, script: [TEXT] }),
	turnRow("turn with one command", { bound: 0.6, model: PLAIN_MODEL, script: [COMMAND, TEXT] }),
	turnRow("turn with one command in a script", { bound: 0.6, model: SCRIPT_MODEL, script: [SCRIPT, TEXT] }),
	memoryRow("text turns", PLAIN_MODEL, [TEXT]),
	memoryRow("turns with a script", SCRIPT_MODEL, [SCRIPT, TEXT]),
	manyRow,
];
