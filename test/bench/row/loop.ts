import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { resolvePaths } from "#platform/paths.ts";
import { oracleMissing, startCodexOracle } from "../../support/codex-oracle.ts";
import { createProduct, type Product } from "../../support/product.ts";
import { type ScriptedResponse, writeCodexHome } from "../../support/scripted-model.ts";
import { type BenchRow, interleaved, ms } from "../bench.ts";
import { startModelProcess } from "../model-process.ts";

/** Model that takes plain tools, which both sides offer. */
const MODEL = "gpt-5.5";
const WARM_UP_TURNS = 2;
/** Turns after which the memory is read, as contracts.md has it. */
const MEMORY_TURNS = 21;

/** One side with a thread open; a turn at a time. */
interface Runner extends AsyncDisposable {
	readonly pid: number;
	/** Milliseconds from the request to the event that the turn has ended. */
	turn(): Promise<number>;
}

const TEXT: ScriptedResponse = { items: [{ type: "text", text: "All is well and was so before." }] };
const COMMAND: ScriptedResponse = {
	items: [{ type: "function_call", name: "exec_command", args: { cmd: "true" } }],
};

async function timed(
	start: () => Promise<unknown>,
	waiting: { ended: Deferred<string> | undefined },
): Promise<number> {
	const ended = createDeferred<string>();
	waiting.ended = ended;
	const startedMs = performance.now();
	await start();
	const status = await ended.promise;
	const took = performance.now() - startedMs;
	if (status !== "completed") throw new Error(`a turn ended as ${status}`);
	return took;
}

async function startOurs(product: Product): Promise<Runner> {
	const { code, stderr } = await product.weave("start", "--no-tui");
	if (code !== 0) throw new Error(stderr);
	const client = connectLocal(resolvePaths(product.env), { kind: "cli", name: "bench" });
	const { thread } = await client.call("chat.create", {
		cwd: product.work,
		env: product.env,
		model: MODEL,
		approval_policy: "never",
		sandbox: "danger-full-access",
	});
	const { thread_id } = thread;
	const waiting: { ended: Deferred<string> | undefined } = { ended: undefined };
	const ready = createDeferred<void>();
	client.subscribe(`chats.activity:${thread_id}`, {
		onSnapshot: () => ready.resolve(),
		onEvent(payload) {
			const event = payload as { type: string; turn?: { status: string } };
			if (event.type === "chat.turn.completed") waiting.ended?.resolve(event.turn?.status ?? "");
		},
	});
	await ready.promise;
	return {
		pid: product.daemonPid() ?? 0,
		turn: () => timed(() => client.call("chat.message.send", { thread_id, text: "go" }), waiting),
		[Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
	};
}

async function startCodex(root: string, codexHome: string, cwd: string): Promise<Runner> {
	const oracle = await startCodexOracle({ root, codexHome });
	const params = { cwd, model: MODEL, approvalPolicy: "never", sandbox: "danger-full-access" };
	const started = await oracle.request("thread/start", params);
	const threadId = (started["thread"] as { id: string }).id;
	const waiting: { ended: Deferred<string> | undefined } = { ended: undefined };
	oracle.listen(({ method, params: { turn } }) => {
		if (method === "turn/completed") waiting.ended?.resolve((turn as { status: string }).status);
	});
	const input = [{ type: "text", text: "go", text_elements: [] }];
	return {
		pid: oracle.pid,
		turn: () => timed(() => oracle.request("turn/start", { threadId, input }), waiting),
		[Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose](),
	};
}

/** Both programs, warm, against the same script; `turns` in all. */
async function withBoth<T>(
	script: readonly ScriptedResponse[],
	turns: number,
	use: (ours: Runner, codex: Runner) => Promise<T>,
): Promise<T> {
	const all = Array.from({ length: turns + WARM_UP_TURNS }, () => script).flat();
	await using product = await createProduct();
	await using ourModel = await startModelProcess(product.dir, "ours", all);
	await using codexModel = await startModelProcess(product.dir, "codex", all);
	const codexHome = join(product.dir, "real-codex-home");
	const codexWork = join(product.dir, "codex-work");
	await mkdir(codexWork);
	writeCodexHome(product.codexHome, ourModel.url);
	writeCodexHome(codexHome, codexModel.url, "[analytics]\nenabled = false");
	await using ours = await startOurs(product);
	await using codex = await startCodex(product.dir, codexHome, codexWork);
	for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) {
		await codex.turn();
		await ours.turn();
	}
	return await use(ours, codex);
}

function rssMb(pid: number): number {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6;
}

function available(): true | string {
	return oracleMissing() ?? true;
}

function turnRow(name: string, bound: number, script: readonly ScriptedResponse[]): BenchRow {
	return {
		name: `embedded loop, ${name}, instant model`,
		bar: `≤ ${bound} × the real \`codex app-server\``,
		available,
		measure({ rounds }) {
			const turns = rounds * 5;
			return withBoth(script, turns, async (ours, codex) => {
				const result = await interleaved(turns, ours.turn, codex.turn);
				return {
					ours: ms(result.ours),
					baseline: ms(result.baseline),
					value: result.ratio,
					unit: "×",
					ok: result.ratio <= bound,
					note: `median of ${turns} turns`,
				};
			});
		},
	};
}

export const loopRows: readonly BenchRow[] = [
	turnRow("text turn", 0.5, [TEXT]),
	turnRow("turn with one command", 0.6, [COMMAND, TEXT]),
	{
		name: `embedded loop, memory after ${MEMORY_TURNS} turns`,
		bar: "≤ 1 × the real `codex app-server`",
		available: () => (existsSync("/proc/self/status") ? available() : "needs /proc"),
		measure: () =>
			withBoth([TEXT], MEMORY_TURNS - WARM_UP_TURNS, async (ours, codex) => {
				for (let turn = WARM_UP_TURNS; turn < MEMORY_TURNS; turn += 1) {
					await codex.turn();
					await ours.turn();
				}
				const [own, real] = [rssMb(ours.pid), rssMb(codex.pid)];
				return {
					ours: `${own.toFixed(0)} MB`,
					baseline: `${real.toFixed(0)} MB`,
					value: own / real,
					unit: "×",
					ok: own <= real,
					note: "RSS",
				};
			}),
	},
];
