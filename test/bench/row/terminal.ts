import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchRow, interleaved, median, ms, percentile } from "../bench.ts";
import {
	END,
	openTerminalBench,
	openTmux,
	PROGRAM,
	ptyWire,
	READY,
	type TerminalBench,
	tmuxMissing,
	type Wire,
} from "./terminal-wire.ts";

const MIB = 1024 * 1024;
const FLOOD_BYTES = 64 * MIB;
const KEYS = "jkovwyz";
/** Keys of one round, and those before that only warm up. */
const KEYS_PER_ROUND = 300;
const WARM_UP_KEYS = 20;
/** Terminals whose memory is counted together. */
const IDLE_TERMINALS = 50;

const baseEnv = (): Record<string, string | undefined> => ({
	PATH: process.env["PATH"],
	HOME: tmpdir(),
	LANG: "C.UTF-8",
	SHELL: "/bin/sh",
});

const pause = (forMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, forMs));

/** Median time from a key typed to its echo, as a fast typist's keys come. */
async function echoMs(wire: Wire): Promise<number> {
	const took: number[] = [];
	for (let at = 0; at < KEYS_PER_ROUND + WARM_UP_KEYS; at += 1) {
		const key = KEYS.charAt(at % KEYS.length);
		const arrived = wire.seen(key);
		const typed = performance.now();
		wire.write(key);
		const arrivedMs = await arrived;
		if (at >= WARM_UP_KEYS) took.push(arrivedMs - typed);
		await pause(8 + ((at * 37) % 50) * 0.08);
	}
	return median(took);
}

async function ready(wire: Wire): Promise<Wire> {
	await wire.seen(READY);
	await pause(300);
	return wire;
}

/** Each round a terminal of our own and one of node-pty's alone, one after the other. */
function echoRow(
	name: string,
	bar: number,
	open: (bench: TerminalBench, id: string) => Promise<Wire>,
): BenchRow {
	return {
		name,
		bar: `≤ ${bar} × direct node-pty`,
		async measure({ rounds }) {
			await using bench = await openTerminalBench();
			const ours = async (): Promise<number> => {
				const id = await bench.start(PROGRAM.echo);
				const wire = await ready(await open(bench, id));
				const took = await echoMs(wire);
				wire.close();
				await bench.kill(id);
				return took;
			};
			const direct = async (): Promise<number> => {
				const wire = await ready(ptyWire(PROGRAM.echo, baseEnv()));
				const took = await echoMs(wire);
				wire.close();
				return took;
			};
			const result = await interleaved(Math.max(3, rounds), ours, direct);
			return {
				ours: ms(result.ours),
				baseline: ms(result.baseline),
				value: result.ratio,
				unit: "×",
				ok: result.ratio <= bar,
				note: `p50 of ${KEYS_PER_ROUND} keys a round`,
			};
		},
	};
}

type Kind = "plain" | "sgr";

const WORDS =
	"the quick brown fox jumps over a lazy dog while make and cc print what they do to every file of it".split(
		" ",
	);

/** Text as builds and logs print it; every second word in a colour for `sgr`. */
async function writeFlood(file: string, kind: Kind): Promise<void> {
	const stream = createWriteStream(file);
	let seed = 1;
	const next = (below: number): number => {
		seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
		return Math.floor((seed / 2_147_483_648) * below);
	};
	for (let written = 0; written < FLOOD_BYTES; ) {
		const lines: string[] = [];
		for (let line = 0; line < 2_000; line += 1) {
			const words = Array.from({ length: 6 + next(12) }, (_, at) => {
				const word = WORDS[next(WORDS.length)] ?? "";
				return kind === "sgr" && at % 2 === 0 ? `\x1b[38;5;${next(256)}m${word}\x1b[0m` : word;
			});
			lines.push(words.join(" "));
		}
		const text = `${lines.join("\n")}\n`;
		written += text.length;
		if (!stream.write(text)) await new Promise((resolve) => stream.once("drain", () => resolve(undefined)));
	}
	await new Promise<void>((resolve) => void stream.end(() => resolve()));
}

async function withFlood<T>(kind: Kind, use: (file: string) => Promise<T>): Promise<T> {
	const dir = mkdtempSync(join(tmpdir(), "flood-"));
	try {
		const file = join(dir, kind);
		await writeFlood(file, kind);
		return await use(file);
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

/** MiB/s from Enter to the end marker. */
async function floodRate(wire: Wire, file: string): Promise<number> {
	const arrived = wire.seen(END);
	const started = performance.now();
	wire.write("\n");
	return statSync(file).size / MIB / (((await arrived) - started) / 1000);
}

function floodRow(kind: Kind, bar: number): BenchRow {
	return {
		name: `terminal output, ${kind}, 64 MiB, screen state kept`,
		bar: `≥ ${bar} × direct node-pty`,
		measure: ({ rounds }) =>
			withFlood(kind, async (file) => {
				await using bench = await openTerminalBench();
				const ours = async (): Promise<number> => {
					const id = await bench.start(PROGRAM.flood(file));
					const wire = await ready(await bench.attach(id));
					const rate = await floodRate(wire, file);
					wire.close();
					await bench.kill(id);
					return rate;
				};
				const direct = async (): Promise<number> => {
					const wire = await ready(ptyWire(PROGRAM.flood(file), baseEnv()));
					const rate = await floodRate(wire, file);
					wire.close();
					return rate;
				};
				await ours();
				const result = await interleaved(Math.max(3, rounds), ours, direct);
				const rate = (value: number): string => `${value.toFixed(0)} MiB/s`;
				return {
					ours: rate(result.ours),
					baseline: rate(result.baseline),
					value: result.ratio,
					unit: "×",
					ok: result.ratio >= bar,
				};
			}),
	};
}

const attachAfterFlood: BenchRow = {
	name: "attach right after 64 MiB of flood",
	bar: "≤ 150 ms",
	measure: ({ rounds }) =>
		withFlood("sgr", async (file) => {
			await using bench = await openTerminalBench();
			const took: number[] = [];
			for (let round = 0; round < Math.max(3, rounds); round += 1) {
				const id = await bench.start(PROGRAM.flood(file));
				const driver = await ready(await bench.attach(id));
				await floodRate(driver, file);
				const started = performance.now();
				const second = await bench.attach(id);
				took.push((await second.seen(END)) - started);
				second.close();
				driver.close();
				await bench.kill(id);
			}
			const value = Math.max(...took);
			return {
				ours: ms(value),
				baseline: "-",
				value,
				unit: "ms",
				ok: value <= 150,
				note: "the slowest of the rounds",
			};
		}),
};

const REATTACHES = 10;

/** Median time from asking to the prompt on the last line. */
async function reattachMs(attach: () => Promise<Wire> | Wire): Promise<number> {
	const took: number[] = [];
	for (let at = 0; at < REATTACHES; at += 1) {
		const started = performance.now();
		const wire = await attach();
		took.push((await wire.seen(READY)) - started);
		await pause(100);
		wire.close();
		await pause(100);
	}
	return percentile(took, 0.5);
}

const reattach: BenchRow = {
	name: "reattach with 10,000 lines, on the socket",
	bar: "≤ 1 × tmux attach",
	available: () => (tmuxMissing ? "tmux is not installed" : true),
	async measure({ rounds }) {
		await using bench = await openTerminalBench();
		using tmux = openTmux();
		const argv = PROGRAM.history(10_000);
		const id = await bench.start(argv);
		tmux.start("t", argv);
		(await ready(await bench.attach(id))).close();
		(await ready(tmux.attach("t"))).close();
		const result = await interleaved(
			Math.max(3, rounds),
			() => reattachMs(() => bench.attach(id)),
			() => reattachMs(() => tmux.attach("t")),
		);
		return {
			ours: ms(result.ours),
			baseline: ms(result.baseline),
			value: result.ratio,
			unit: "×",
			ok: result.ratio <= 1,
			note: "ticket, connection, screen and modes",
		};
	},
};

function rssKib(pid: number | undefined): number {
	return Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}

function memoryRow(name: string, bar: string, maxKib: number, lines: number): BenchRow {
	return {
		name,
		bar,
		async measure() {
			await using bench = await openTerminalBench();
			const count = lines === 0 ? IDLE_TERMINALS : 10;
			const argv = lines === 0 ? PROGRAM.echo : PROGRAM.history(lines);
			async function open(): Promise<void> {
				const id = await bench.start(argv);
				const wire = await bench.attach(id);
				await wire.seen(READY);
				wire.close();
			}
			await open();
			await pause(1_500);
			const before = rssKib(bench.product.hostPid());
			for (let at = 0; at < count; at += 1) await open();
			await pause(1_500);
			const value = (rssKib(bench.product.hostPid()) - before) / count;
			return {
				ours: `${value.toFixed(0)} KiB`,
				baseline: "-",
				value,
				unit: "KiB",
				ok: value <= maxKib,
				note: `RSS of the pty-host, ${count} more terminals`,
			};
		},
	};
}

export const terminalRows: readonly BenchRow[] = [
	echoRow("terminal echo p50, the attach socket", 1.6, (bench, id) => bench.attach(id)),
	echoRow("terminal echo p50, `homie attach` in a PTY", 2.2, async (bench, id) => bench.attachProgram(id)),
	floodRow("plain", 0.75),
	floodRow("sgr", 0.8),
	attachAfterFlood,
	reattach,
	memoryRow("memory per idle terminal", "≤ 150 KiB", 150, 0),
	memoryRow("memory per terminal with 10,000 lines", "≤ 8 MiB", 8 * 1024, 10_000),
];
