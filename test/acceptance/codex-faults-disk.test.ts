import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CodexClient, connectCodexSocket } from "#test/support/codex-client.ts";
import { workAnswer, workText, workThread } from "#test/support/fault-work.ts";
import { startFaultyModel } from "#test/support/faulty-model.ts";
import { createProduct, isAlive, until } from "#test/support/product.ts";
import { writeCodexHome } from "#test/support/scripted-model.ts";

const canMount = process.getuid?.() === 0 && spawnSync("unshare", ["-m", "true"]).status === 0;
const why = canMount ? "" : " (skipped: mounting a tmpfs needs root)";

function mountTmpfs(folder: string, options: string): Disposable {
	const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
	if (status !== 0) throw new Error(`mount: ${stderr}`);
	return { [Symbol.dispose]: () => void spawnSync("umount", ["-l", folder]) };
}

/** Writes until there is no room left. */
function fillDisk(path: string): void {
	const file = openSync(path, "w");
	try {
		for (const size of [65_536, 4_096, 256, 1]) {
			try {
				for (;;) writeSync(file, Buffer.alloc(size));
			} catch (error) {
				if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
			}
		}
	} finally {
		closeSync(file);
	}
}

async function startThread(client: CodexClient, cwd: string): Promise<{ threadId: string }> {
	const { thread } = await client.request<{ thread: { id: string } }>("thread/start", {
		cwd,
		...workThread("sandboxed"),
	});
	return { threadId: thread.id };
}

describe("acceptance: a full disk", () => {
	test.skipIf(!canMount)(
		`in the middle of turns: the daemon lives, nothing told is lost, nothing runs twice, and with room again all go on${why}`,
		async () => {
			await using product = await createProduct();
			mkdirSync(product.home);
			using _home = mountTmpfs(product.home, "size=24m,mode=700");
			const ballast = join(product.home, "ballast");
			let filled = false;
			await using model = await startFaultyModel((_nth, body) => async (wire) => {
				const outputs = body.input.filter((item) => item["type"] === "function_call_output").length;
				// The disk is full from the moment on when the second command of a turn was asked for.
				if (outputs === 1 && !filled) {
					filled = true;
					fillDisk(ballast);
				}
				await workAnswer(body)(wire);
			});
			writeCodexHome(product.codexHome, model.url);
			expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
			const pid = product.daemonPid();
			using client = await connectCodexSocket(join(product.home, "codex.sock"));
			const ids = ["full-0", "full-1", "full-2"];
			const threads = await Promise.all(ids.map(() => startThread(client, product.work)));
			const turns = await Promise.all(
				threads.map(({ threadId }, at) => {
					const text = workText({ kind: "sandboxed", id: ids[at] ?? "" });
					return client.request<{ turn: { id: string } }>("turn/start", {
						threadId,
						input: [{ type: "text", text, text_elements: [] }],
					});
				}),
			);
			await until("the disk is full", () => filled);
			let refusal = "";
			await until("a write is refused", async () => {
				await startThread(client, product.work).catch((error: unknown) => {
					refusal = String(error);
				});
				return refusal !== "";
			});
			expect(refusal).toContain("disk is full");
			rmSync(ballast);
			for (const { turn } of turns) {
				await client.seen("the end of a turn", ({ method, params }) => {
					const ended = params?.["turn"] as { id: string } | undefined;
					return method === "turn/completed" && ended?.id === turn.id;
				});
			}
			expect(isAlive(pid) && product.daemonPid() === pid).toBe(true);
			const path = join(product.work, "effects.txt");
			const effects = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
			expect(new Set(effects).size).toBe(effects.length);
			for (const { threadId } of threads) {
				const { thread } = await client.request<{
					thread: { turns: { status: string; items: { id: string }[] }[] };
				}>("thread/read", { threadId, includeTurns: true });
				const kept = new Set(thread.turns.flatMap(({ items }) => items.map(({ id }) => id)));
				for (const { method, params } of client.inbox) {
					if (method !== "item/completed" || params?.["threadId"] !== threadId) continue;
					expect(kept).toContain((params["item"] as { id: string }).id);
				}
				expect(thread.turns.map(({ status }) => status)).not.toContain("inProgress");
			}
			const { threadId } = await startThread(client, product.work);
			const input = [{ type: "text", text: workText({ kind: "sandboxed", id: "after" }), text_elements: [] }];
			await client.request("turn/start", { threadId, input });
			const end = await client.seen(
				"the end of a turn with room",
				({ method, params }) => method === "turn/completed" && params?.["threadId"] === threadId,
			);
			expect(end.params?.["turn"]).toMatchObject({ status: "completed" });
		},
	);
});
