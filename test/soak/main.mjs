// Kills the installed daemon at seeded moments under turns of all kinds, then fuzzes it for minutes and watches that neither
// it nor the pty-host grows. --rounds N (50), --minutes N (10), --seed N.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzzCoord } from "../support/fuzz/coord.ts";
import { fuzzGateway, fuzzHello } from "../support/fuzz/gateway.ts";
import { fuzzPtyHost } from "../support/fuzz/pty-host.ts";
import { createRandom } from "../support/fuzz/random.ts";
import { createKillBench, runFaultRound, runKillRound } from "../support/kill-round.ts";
import { createProduct, until } from "../support/product.ts";
import { createGrowthWatch } from "./growth.ts";

const { values: options } = parseArgs({
	options: {
		rounds: { type: "string", default: "50" },
		minutes: { type: "string", default: "10" },
		seed: { type: "string" },
	},
});
const rounds = Number(options.rounds);
const minutes = Number(options.minutes);
const seed = Number(options.seed ?? Date.now() % 2 ** 31);
if (!(minutes > 0) || !Number.isSafeInteger(seed) || !Number.isSafeInteger(rounds))
	throw new Error("--minutes takes a positive number, --rounds and --seed an integer");
console.log(`soak: ${rounds} kills, ${minutes} min, --seed ${seed}`);

/** Where a daemon ends itself, and at which call of that point. */
const FAULT_POINTS = [
	"chat.before-turn-commit",
	"chat.after-turn-commit",
	"chat.before-ack",
	"approval.before-commit",
	"approval.after-commit",
	"tool.before-spawn",
	"tool.after-spawn",
	"tool.before-done",
	"turn.before-end",
	"turn.after-end",
].flatMap((name) => [1, 2, 4, 8].map((nth) => `${name}:${nth}`));
/** The first commits are those of the start. */
for (const nth of [20, 40, 60, 80])
	FAULT_POINTS.push(`store.before-commit:${nth}`, `store.after-commit:${nth}`);

/** What /proc says of a process of ours: memory in MiB, open files. */
function lookAt(pid) {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	return {
		rssMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
		files: readdirSync(`/proc/${pid}/fd`).length,
	};
}

/** Calls of every cycle that work, so that what is healthy is worn too. */
async function work(product, cycle) {
	await product.json("call", "weave.session.create", JSON.stringify({ name: `soak-${cycle}` }));
	await product.json("call", "weave.session.close", JSON.stringify({ session: `soak-${cycle}` }));
	const { terminal } = await product.json("call", "terminal.session.start", '{"argv":["/bin/true"]}');
	await until("the terminal has ended", async () => {
		const { terminals } = await product.json("call", "terminal.session.list");
		return !terminals.some(({ terminal_id: id }) => id === terminal.terminal_id);
	});
}

/** Every kill must leave what was told as done, and nothing done twice. */
async function killAtRandomMoments() {
	const random = createRandom(seed);
	await using bench = await createKillBench();
	let client = await bench.start();
	for (let round = 1; round <= rounds; round += 1) {
		const { wrong, next, told } = await runKillRound(bench, client, { random, round: `k${round}` });
		if (wrong.length > 0) throw new Error(`kill ${round}: ${wrong.join("; ")}`);
		client = next;
		console.log(`kill ${round}: ${told} items had been told, all are there`);
	}
	for (const point of FAULT_POINTS) {
		const { wrong, next, told, struck } = await runFaultRound(bench, client, {
			point,
			round: point.replace(/\W/g, "_"),
		});
		if (wrong.length > 0) throw new Error(`${point}: ${wrong.join("; ")}`);
		client = next;
		console.log(`${point}: ${struck ? "struck" : "not reached"}, ${told} items had been told, all are there`);
	}
	client[Symbol.dispose]();
}

async function soak() {
	await using product = await createProduct();
	const started = await product.weave("start", "--no-tui");
	if (started.code !== 0) throw new Error(started.stderr);
	await product.json("call", "terminal.session.start", '{"name":"kept","argv":["/bin/cat"]}');
	const { pid, listeners } = await product.json("status", "--json");
	const hostPid = product.hostPid();
	const port = Number(new URL(listeners.find(({ kind }) => kind === "http").address).port);
	const token = readFileSync(join(product.home, "token"), "utf8").trim();
	const unix = { socketPath: join(product.home, "daemon.sock") };
	const random = createRandom(seed);
	const watches = { daemon: createGrowthWatch("daemon"), "pty-host": createGrowthWatch("pty-host") };
	const endsAt = Date.now() + minutes * 60_000;
	let shots = 0;
	for (let cycle = 1; Date.now() < endsAt || cycle <= 6; cycle += 1) {
		await fuzzGateway(unix, random, 2_000);
		await fuzzGateway({ port, token }, random, 2_000);
		await fuzzHello(unix, random, 50);
		await fuzzCoord(join(product.weaveHome, "coord.sock"), random, 1_000);
		await fuzzPtyHost(join(product.home, "pty.sock"), random, 50);
		await work(product, cycle);
		shots += 5_100;
		const status = await product.json("status", "--json");
		if (status.pid !== pid || product.hostPid() !== hostPid) throw new Error("a process was replaced");
		watches.daemon.add(lookAt(pid));
		watches["pty-host"].add(lookAt(hostPid));
		const words = Object.entries(watches).map(([name, watch]) => `${name} ${watch.last()}`);
		console.log(`cycle ${cycle}: ${shots} shots, ${words.join(", ")}`);
		for (const watch of Object.values(watches)) watch.assertBounded();
	}
	return shots;
}

try {
	await killAtRandomMoments();
	console.log(`soak passed: ${await soak()} shots, every one answered with a code; nothing grew`);
	process.exit(0);
} catch (error) {
	console.error(`soak FAILED (--seed ${seed}): ${error.stack}`);
	process.exit(1);
}
