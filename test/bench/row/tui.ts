import { join } from "node:path";
import { createProduct, NODE, type Product, ROOT } from "../../support/product.ts";
import { type PtyRun, runInPty } from "../../support/pty-run.ts";
import { type ScriptedChunk, startScriptedModel, writeCodexHome } from "../../support/scripted-model.ts";
import { type BenchRow, median, ms, percentile } from "../bench.ts";
import { runMs } from "./startup.ts";

/** Items of the conversation in which keys are measured (contracts.md 6). */
const ITEMS = 5_000;
/** Deltas a second while keys are counted, and for how long they come. */
const DELTAS_PER_S = 2_000;
const STREAM_MS = 3_000;
const TICK_MS = 10;
/** Keys measured, and the pause between two: a fast typist's. */
const KEYS = 120;
const KEY_PAUSE_MS = 40;

const pause = (afterMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, afterMs));

/** The TUI as a person starts it, in a real PTY, on the product's homes. */
function openTui(product: Product, cols = 120, rows = 40): PtyRun {
	return runInPty({
		argv: [NODE, join(ROOT, "bin/weave-codex.js")],
		cwd: product.work,
		env: product.env,
		cols,
		rows,
	});
}

async function withDaemon<T>(use: (product: Product) => Promise<T>): Promise<T> {
	await using product = await createProduct();
	const { code, stderr } = await product.weave("start", "--no-tui");
	if (code !== 0) throw new Error(stderr);
	return await use(product);
}

async function leave(tui: PtyRun): Promise<void> {
	tui.send("\u0015\u0004");
	await tui.exit;
}

/** From the start of the process to the first drawn composer, and to a connected TUI that shows a typed key. */
async function startUp(product: Product): Promise<{ firstFrameMs: number; usableMs: number }> {
	const started = performance.now();
	await using tui = openTui(product);
	await tui.waitForText("? help");
	const firstFrameMs = performance.now() - started;
	await tui.waitForText("daemon ready");
	tui.send("q");
	await tui.waitForText("› q");
	const usableMs = performance.now() - started;
	await leave(tui);
	return { firstFrameMs, usableMs };
}

/** Both start-up rows, each round against its own `node -e 0`. */
async function startUpRatio(rounds: number, which: "firstFrameMs" | "usableMs") {
	return withDaemon(async (product) => {
		await startUp(product);
		const pairs: { ours: number; node: number }[] = [];
		for (let round = 0; round < rounds * 3; round += 1)
			pairs.push({ node: await runMs(["-e", "0"]), ours: (await startUp(product))[which] });
		return {
			ours: median(pairs.map((pair) => pair.ours)),
			baseline: median(pairs.map((pair) => pair.node)),
			ratio: median(pairs.map((pair) => pair.ours / pair.node)),
		};
	});
}

/** Times of `count` keys from being written to the PTY to standing on the screen. */
async function keyTimes(tui: PtyRun, count: number): Promise<number[]> {
	const times: number[] = [];
	let typed = "";
	for (let index = 0; index < count; index += 1) {
		const letter = String.fromCharCode(97 + (index % 26));
		typed = index % 60 === 0 ? letter : typed + letter;
		if (index % 60 === 0) {
			tui.send("\u0015");
			await tui.waitForText((screen) => !/› \w/.test(screen.lines().slice(-4).join("\n")));
		}
		await pause(KEY_PAUSE_MS);
		const started = performance.now();
		tui.send(letter);
		await tui.waitForText(`› ${typed}`);
		times.push(performance.now() - started);
	}
	return times;
}

async function typeInLongThread(): Promise<{ p50: number; p99: number }> {
	await using product = await createProduct();
	const items = Array.from({ length: ITEMS }, (_, index) => ({
		type: "text" as const,
		chunks: [`item ${index + 1}: some words about it`],
	}));
	await using model = await startScriptedModel({ responses: [{ items }] });
	writeCodexHome(product.codexHome, model.url);
	await using tui = openTui(product);
	await tui.waitForText("daemon ready", { timeoutMs: 20_000 });
	tui.send("go\r");
	await tui.waitForText(new RegExp(`item ${ITEMS}: `), { timeoutMs: 120_000 });
	await tui.waitForText(/◌ \S+/, { timeoutMs: 120_000 });
	const times = await keyTimes(tui, KEYS);
	await leave(tui);
	return { p50: median(times), p99: percentile(times, 0.99) };
}

interface StreamResult {
	readonly typed: string;
	readonly draft: string;
	readonly perSecond: number;
}

/** Types while deltas come at the wanted pace, and reads the draft when both are over. */
async function typeWhileStreaming(): Promise<StreamResult> {
	await using product = await createProduct();
	const perTick = (DELTAS_PER_S * TICK_MS) / 1000;
	const ticks = STREAM_MS / TICK_MS;
	const chunks: ScriptedChunk[] = [];
	for (let tick = 0; tick < ticks; tick += 1) {
		chunks.push({ gate: `tick-${tick}` });
		for (let index = 0; index < perTick; index += 1) chunks.push("words and ");
	}
	await using model = await startScriptedModel({
		responses: [{ items: [{ type: "text", chunks: [...chunks, "THE-END"] }] }],
	});
	writeCodexHome(product.codexHome, model.url);
	await using tui = openTui(product, 200, 50);
	await tui.waitForText("daemon ready", { timeoutMs: 20_000 });
	tui.send("go\r");
	await model.paused("tick-0");
	const started = performance.now();
	const timer = setInterval(() => {
		const due = Math.floor((performance.now() - started) / TICK_MS);
		for (let tick = 0; tick < Math.min(due, ticks); tick += 1) model.release(`tick-${tick}`);
	}, TICK_MS);
	let typed = "";
	while (performance.now() - started < STREAM_MS) {
		const letter = String.fromCharCode(97 + (typed.length % 26));
		typed += letter;
		tui.send(letter);
		await pause(KEY_PAUSE_MS / 2);
	}
	await tui.waitForText("THE-END", { timeoutMs: 60_000 });
	const perSecond = (DELTAS_PER_S * STREAM_MS) / (performance.now() - started);
	clearInterval(timer);
	await tui.waitForText(`› ${typed}`, { timeoutMs: 2_000 }).catch(() => undefined);
	const draft = /› ([a-z]+) *$/m.exec(tui.screen.text())?.[1] ?? "";
	await leave(tui);
	return { typed, draft, perSecond };
}

export const tuiRows: readonly BenchRow[] = [
	{
		name: "TUI: keypress to paint, 5,000 items in the thread",
		bar: "p50 ≤ 16 ms",
		async measure() {
			const { p50, p99 } = await typeInLongThread();
			return {
				ours: ms(p50),
				baseline: "-",
				value: p50,
				unit: "ms",
				ok: p50 <= 16,
				note: `p99 ${ms(p99)}, ${KEYS} keys`,
			};
		},
	},
	{
		name: "TUI: keys lost while 2,000 deltas/s stream",
		bar: "0",
		async measure() {
			const { typed, draft, perSecond } = await typeWhileStreaming();
			const lost = typed.length - draft.length;
			return {
				ours: `${draft.length} of ${typed.length} keys`,
				baseline: "-",
				value: lost,
				unit: "keys",
				ok: typed === draft && perSecond >= DELTAS_PER_S * 0.9,
				note: `${Math.round(perSecond)} deltas/s painted`,
			};
		},
	},
	{
		name: "TUI: first frame",
		bar: "≤ 8 × `node -e 0`",
		async measure({ rounds }) {
			const { ours, baseline, ratio } = await startUpRatio(rounds, "firstFrameMs");
			return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 8 };
		},
	},
	{
		name: "TUI: usable on a running daemon",
		bar: "≤ 20 × `node -e 0`",
		async measure({ rounds }) {
			const { ours, baseline, ratio } = await startUpRatio(rounds, "usableMs");
			return { ours: ms(ours), baseline: ms(baseline), value: ratio, unit: "×", ok: ratio <= 20 };
		},
	},
];
