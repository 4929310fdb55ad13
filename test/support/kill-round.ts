import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type CodexClient, connectCodexSocket } from "./codex-client.ts";
import {
	callsWithoutOutput,
	WORK_KINDS,
	type Work,
	workAnswer,
	workText,
	workThread,
	workTurn,
} from "./fault-work.ts";
import { type FaultyModel, startFaultyModel } from "./faulty-model.ts";
import type { Random } from "./fuzz/random.ts";
import { createProduct, isAlive, NODE, type Product, ROOT, until } from "./product.ts";
import { writeCodexHome } from "./scripted-model.ts";

/** Latest moment after the turns were asked for: by then the quicker ones are over. */
const LATEST_MS = 1_500;
/** By then every turn of a round has done what it does, or waits. */
const FAULT_PATIENCE_MS = 6_000;

interface Thing {
	type: string;
	id: string;
	command?: string;
	status?: string;
	[member: string]: unknown;
}
interface Turn {
	id: string;
	status: string;
	items: Thing[];
}

/** What clients were told of one thread before the kill. */
interface Witness {
	readonly threadId: string;
	readonly work: Work;
	/** Whether `turn/start` was answered. */
	acknowledged: boolean;
}

/** A product whose daemon is killed and started again, with a model that outlives it. */
export interface KillBench extends AsyncDisposable {
	readonly product: Product;
	readonly model: FaultyModel;
	/** `fault`: a value of WEAVE_FAULT, where this daemon ends itself. */
	start(fault?: string): Promise<CodexClient>;
	/** SIGKILL; resolves when the daemon is gone. */
	kill(): Promise<void>;
}

export async function createKillBench(): Promise<KillBench> {
	const product = await createProduct();
	const model = await startFaultyModel((_nth, body) => workAnswer(body));
	const server = join(ROOT, "test/support/mcp/effect-server.ts");
	const effects = join(product.work, "effects.txt");
	const mcp = `[mcp_servers.effects]\ncommand = ${JSON.stringify(NODE)}\nargs = ${JSON.stringify([server, product.work])}\nenv = { EFFECTS = ${JSON.stringify(effects)} }`;
	writeCodexHome(product.codexHome, model.url, `request_max_retries = 1\nstream_max_retries = 1\n${mcp}`);
	return {
		product,
		model,
		async start(fault) {
			const env: Record<string, string> = fault === undefined ? {} : { WEAVE_FAULT: fault };
			const args = ["start", "--no-tui", "--no-web"];
			const { code, stderr } = await product.start("weave-codex", args, { env }).finished;
			if (code !== 0) throw new Error(`the daemon did not start: ${stderr}`);
			return connectCodexSocket(join(product.home, "codex.sock"), ({ method }) =>
				method === "item/commandExecution/requestApproval" ? { decision: "accept" } : undefined,
			);
		},
		async kill() {
			const pid = product.daemonPid();
			if (pid === undefined) throw new Error("no daemon to kill");
			if (isAlive(pid)) process.kill(pid, "SIGKILL");
			await until("the daemon is dead", () => !isAlive(pid));
		},
		async [Symbol.asyncDispose]() {
			await product[Symbol.asyncDispose]();
			await model[Symbol.asyncDispose]();
		},
	};
}

/** Processes whose command line names the folder, the daemon and its pty-host aside. */
function processesOf({ work }: Product): string[] {
	return readdirSync("/proc").flatMap((name) => {
		if (!/^\d+$/u.test(name) || !isAlive(Number(name))) return [];
		const path = `/proc/${name}/cmdline`;
		const line = existsSync(path) ? readFileSync(path, "utf8").replaceAll("\0", " ") : "";
		return line.includes(work) ? [`${name} ${line.slice(0, 120)}`] : [];
	});
}

async function nothingLeft(product: Product): Promise<void> {
	let left: string[] = [];
	const gone = until("nothing of the dead daemon runs", () => {
		left = processesOf(product);
		return left.length === 0;
	});
	await gone.catch(() => {
		throw new Error(`left running: ${left.join("; ")}`);
	});
}

function effectsOf({ work }: Product): Map<string, number> {
	const path = join(work, "effects.txt");
	const counts = new Map<string, number>();
	const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
	for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
	return counts;
}

async function startWork(client: CodexClient, bench: KillBench, round: string): Promise<Witness[]> {
	const works = WORK_KINDS.map((kind): Work => ({ kind, id: `${round}-${kind}` }));
	return Promise.all(
		works.map(async (work) => {
			const params = { cwd: bench.product.work, ...workThread(work.kind) };
			const { thread } = await client.request<{ thread: { id: string } }>("thread/start", params);
			return { threadId: thread.id, work, acknowledged: false };
		}),
	);
}

/** Asks for all turns and lets the kill fall into them; a fault point may strike sooner. */
async function runInto(client: CodexClient, witnesses: readonly Witness[], afterMs: number): Promise<void> {
	for (const witness of witnesses) {
		const input = [{ type: "text", text: workText(witness.work), text_elements: [] }];
		const params = { threadId: witness.threadId, input, ...workTurn(witness.work.kind) };
		client.request("turn/start", params).then(
			() => {
				witness.acknowledged = true;
			},
			() => undefined,
		);
	}
	const until = Date.now() + afterMs;
	while (Date.now() < until && !client.isClosed) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Finished items as they were told, newest last. */
function toldItems(client: CodexClient, threadId: string): Map<string, Thing> {
	const told = new Map<string, Thing>();
	for (const { method, params } of client.inbox) {
		if (method !== "item/completed" || params?.["threadId"] !== threadId) continue;
		const item = params["item"] as Thing;
		told.set(`${params["turnId"]} ${item.id}`, item);
	}
	return told;
}

function compareTurns(turns: readonly Turn[], told: ReadonlyMap<string, Thing>, witness: Witness): string[] {
	const wrong: string[] = [];
	const kept = new Map(turns.flatMap((turn) => turn.items.map((item) => [`${turn.id} ${item.id}`, item])));
	if (witness.acknowledged && turns.length !== 1) wrong.push(`${turns.length} turns of one acknowledged`);
	if (witness.acknowledged && !JSON.stringify(turns[0]?.items).includes(workText(witness.work)))
		wrong.push("the acknowledged message is lost");
	for (const turn of turns) if (turn.status === "inProgress") wrong.push("a turn is said to run");
	for (const [key, item] of told) {
		const found = kept.get(key);
		if (found === undefined) wrong.push(`${item.type} ${key} is lost`);
		else if (!isDeepStrictEqual(found, item))
			wrong.push(`${item.type} was told ${JSON.stringify(item)} and kept ${JSON.stringify(found)}`);
	}
	return wrong;
}

/** A command that was told to have succeeded has left its line. */
function compareEffects(effects: ReadonlyMap<string, number>, told: ReadonlyMap<string, Thing>): string[] {
	return [...told.values()].flatMap((item) => {
		const line = /echo (\S+) >> effects/u.exec(item.command ?? "")?.[1];
		if (line === undefined || item.status !== "completed" || effects.get(line) === 1) return [];
		return [`${line} was told as done and is there ${effects.get(line) ?? 0} times`];
	});
}

/** None where the kill came before the first turn was there. */
async function readTurns(client: CodexClient, threadId: string): Promise<Turn[]> {
	try {
		const params = { threadId, includeTurns: true };
		return (await client.request<{ thread: { turns: Turn[] } }>("thread/read", params)).thread.turns;
	} catch (error) {
		if (String(error).includes("list_turns is not supported yet")) return [];
		throw error;
	}
}

/** The thread takes another turn, whose request a provider would accept. */
async function goOn(client: CodexClient, bench: KillBench, { threadId, work }: Witness): Promise<string[]> {
	await client.request("thread/resume", { threadId });
	const input = [{ type: "text", text: `go on ${work.id}`, text_elements: [] }];
	const { turn } = await client.request<{ turn: { id: string } }>("turn/start", { threadId, input });
	const ended = await client.seen(
		`the end of the next turn of ${work.id}`,
		({ method, params }) =>
			method === "turn/completed" && (params?.["turn"] as Turn | undefined)?.id === turn.id,
	);
	const status = (ended.params?.["turn"] as Turn | undefined)?.status;
	const wrong = status === "completed" ? [] : [`the next turn is ${status}`];
	const body = bench.model.bodies.findLast((each) => JSON.stringify(each.input).includes(`go on ${work.id}`));
	if (body === undefined) return [...wrong, "the model was not asked"];
	const open = callsWithoutOutput(body);
	return open.length === 0 ? wrong : [...wrong, `calls without an output: ${open.join(", ")}`];
}

/**
 * One kill -9 at a random moment of seven kinds of turns at once, and all that must hold after the next start; the list
 * of what does not. `client` is the connection to the running daemon; the answer has the next one.
 */
export async function runKillRound(
	bench: KillBench,
	client: CodexClient,
	{ random, round }: { random: Random; round: string },
): Promise<{ wrong: string[]; next: CodexClient; told: number }> {
	return finishRound(bench, client, { round, afterMs: random(LATEST_MS) });
}

/**
 * The same with a daemon that ends itself at a fault point, `name:nth`; where it is not reached, it is killed after a
 * while. `client` is the connection to the daemon that ran before and is stopped for it.
 */
export async function runFaultRound(
	bench: KillBench,
	client: CodexClient,
	{ point, round }: { point: string; round: string },
): Promise<{ wrong: string[]; next: CodexClient; told: number; struck: boolean }> {
	await bench.kill();
	await until("the connection has ended", () => client.isClosed);
	const faulty = await bench.start(`${point}=kill`);
	return finishRound(bench, faulty, { round, afterMs: FAULT_PATIENCE_MS });
}

async function finishRound(
	bench: KillBench,
	client: CodexClient,
	{ round, afterMs }: { round: string; afterMs: number },
): Promise<{ wrong: string[]; next: CodexClient; told: number; struck: boolean }> {
	const witnesses = await startWork(client, bench, round).catch((error: unknown) => {
		if (client.isClosed) return [];
		throw error;
	});
	await runInto(client, witnesses, afterMs);
	const struck = client.isClosed;
	await bench.kill();
	await until("the connection has ended", () => client.isClosed);
	await nothingLeft(bench.product);
	const next = await bench.start();
	const effects = effectsOf(bench.product);
	const twice = [...effects].flatMap(([line, count]) =>
		count > 1 ? [`${line} is there ${count} times`] : [],
	);
	let count = 0;
	const checks = witnesses.map(async (witness) => {
		const told = toldItems(client, witness.threadId);
		count += told.size;
		const turns = await readTurns(next, witness.threadId);
		const wrong = [
			...compareTurns(turns, told, witness),
			...compareEffects(effects, told),
			...(turns.length === 0 ? [] : await goOn(next, bench, witness)),
		];
		return wrong.map((what) => `${witness.work.id}: ${what}`);
	});
	const wrong = [...twice, ...(await Promise.all(checks)).flat()];
	return { wrong, next, told: count, struck };
}
