import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TOKEN } from "../../integration/gateway-fixture.ts";
import { NODE, ROOT } from "../../support/product.ts";
import { type BenchRow, interleaved } from "../bench.ts";

type Kind = "hub" | "ws";

/** Events published at once; a program that publishes has more than one thing to say in a tick. */
const BURST = 8;
const WARM_MS = 500;
const MEASURE_MS = 1_500;
/** Deliveries under way: enough to keep the server busy, few enough that nobody is a slow consumer. */
const OUTSTANDING_DELIVERIES = 16_000;
const OUTSTANDING_MIN = 32;

/** A server and its subscribers, at rest until it is asked. */
interface Fan extends AsyncDisposable {
	/** Deliveries per second. */
	measure(): Promise<number>;
}

function startProcess(file: string, args: readonly string[]): ChildProcess {
	return spawn(NODE, ["--no-warnings", join(ROOT, "test/fixture/bench", file), ...args], {
		stdio: ["pipe", "pipe", "inherit"],
	});
}

/** Ends a process of ours by closing its stdin. */
async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null) return;
	const gone = new Promise((resolve) => child.once("exit", resolve));
	child.stdin?.end();
	await gone;
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
	if (child.stdout) createInterface({ input: child.stdout }).on("line", onLine);
}

function nextLine(child: ChildProcess): Promise<string> {
	return new Promise((resolve, reject) => {
		child.once("exit", (code) => reject(new Error(`a bench process exited ${code}`)));
		if (child.stdout) createInterface({ input: child.stdout }).once("line", resolve);
	});
}

async function startFan(kind: Kind, subscribers: number): Promise<Fan> {
	const server = startProcess("fan-server.ts", [kind]);
	const { port } = JSON.parse(await nextLine(server)) as { port: number };
	const sink = startProcess("fan-sink.ts", [
		kind,
		String(port),
		String(subscribers),
		kind === "hub" ? TOKEN : "",
	]);
	let total = 0;
	let published = 0;
	let wake: (() => void) | undefined;
	const ready = Promise.withResolvers<void>();
	sink.once("exit", (code) => ready.reject(new Error(`the subscribers ended with ${code}`)));
	readLines(sink, (line) => {
		if (line === "ready") ready.resolve();
		else total = Number(line);
		wake?.();
	});
	await ready.promise;
	const outstanding = Math.max(OUTSTANDING_MIN, Math.ceil(OUTSTANDING_DELIVERIES / subscribers));

	const progress = (): Promise<void> =>
		new Promise((resolve) => {
			wake = resolve;
		});

	async function pump(forMs: number): Promise<void> {
		const until = performance.now() + forMs;
		while (performance.now() < until) {
			while (published - total / subscribers < outstanding) {
				server.stdin?.write(`${BURST}\n`);
				published += BURST;
			}
			await progress();
		}
	}

	return {
		async measure() {
			await pump(WARM_MS);
			const before = total;
			const startedMs = performance.now();
			await pump(MEASURE_MS);
			const perSecond = ((total - before) / (performance.now() - startedMs)) * 1000;
			// Everything published must arrive: a fan-out that loses is not fast.
			while (total < published * subscribers) await progress();
			return perSecond;
		},
		async [Symbol.asyncDispose]() {
			await end(sink);
			await end(server);
		},
	};
}

const rate = (perSecond: number): string => `${(perSecond / 1e6).toFixed(2)} M/s`;

function fanRow(subscribers: number): BenchRow {
	return {
		name: `fan-out of 200 B events to ${subscribers} subscribers`,
		bar: "≥ 0.6 × bare ws, one write per subscriber per tick",
		async measure({ rounds }) {
			await using ours = await startFan("hub", subscribers);
			await using bare = await startFan("ws", subscribers);
			const result = await interleaved(Math.max(3, rounds), ours.measure, bare.measure);
			return {
				ours: rate(result.ours),
				baseline: rate(result.baseline),
				value: result.ratio,
				unit: "×",
				ok: result.ratio >= 0.6,
				note: "deliveries through hub, gateway and `/api/realtime`, authorised; subscribers in another process",
			};
		},
	};
}

export const hubRows: readonly BenchRow[] = [fanRow(100), fanRow(500)];
