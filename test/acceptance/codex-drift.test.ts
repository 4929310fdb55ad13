import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startCommand } from "../conformance/app-server.ts";
import { compareTranscripts } from "../support/codex-compare.ts";
import { driveScenario, type Json, type Row } from "../support/codex-drive.ts";
import { readGolden, readScenario } from "../support/codex-fixture.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIXTURE = join(ROOT, "test/fixture/codex");
const GOLDENS = [
	"simple-text",
	"reasoning-text",
	"shell-approval-untrusted-accept",
	"patch-approval-accept",
	"plan-update",
	"web-search",
];
/** What replay.mjs puts into whatever has an id or a type. */
const EXTRA = { since: "0.999.0", list: [1, { deep: null }] };

function paramsOf(rows: readonly Row[], method: string): Json[] {
	return rows.flatMap(({ dir, msg }) =>
		dir === "<-" && msg["method"] === method ? [msg["params"] as Json] : [],
	);
}

const isFuture = ({ msg }: Row): boolean =>
	msg["method"] === "item/futureItem/progress" ||
	((msg["params"] as Json | undefined)?.["item"] as Json | undefined)?.["type"] === "futureItem";

/** A session over our backend that runs the real program, here one of a later version, and the thread as read afterwards. */
async function replay(name: string): Promise<{ rows: readonly Row[]; items: readonly Json[] }> {
	const scenario = readScenario(name);
	// biome-ignore lint/suspicious/noTemplateCurlyInString: the scenario's own placeholder, filled in by the driver
	const read = { req: "thread/read", params: { threadId: "${r.thread.thread.id}", includeTurns: true } };
	const start = startCommand([process.execPath, join(ROOT, "bin/weave-codex.js"), "app-server"], {
		HOMIE_AGENT_BACKEND: "cli",
		HOMIE_CODEX_BIN: join(FIXTURE, "replay.mjs"),
		CODEX_REPLAY: join(FIXTURE, `golden/${name}.jsonl`),
	});
	const { rows } = await driveScenario({ ...scenario, steps: [...scenario.steps, read] }, start);
	const answer = rows.findLast(({ msg }) => "result" in msg)?.msg["result"] as {
		thread: { turns: { items: Json[] }[] };
	};
	return { rows, items: answer.thread.turns.flatMap((turn) => turn.items) };
}

describe("drift tolerance", () => {
	test.concurrent.each(GOLDENS)(
		"drift: nothing that a later Codex adds is lost, and nothing else changes in %s",
		async (name) => {
			const { rows, items } = await replay(name);
			const golden = readGolden(name);
			const known = rows.filter((row) => !isFuture(row));
			expect(compareTranscripts(golden, known)).toEqual([]);

			const [progress] = paramsOf(rows, "item/futureItem/progress");
			expect(progress).toMatchObject({ itemId: "future-1", percent: 50, futureMember: EXTRA });
			const future = { type: "futureItem", id: "future-1", said: "tomorrow", futureMember: EXTRA };
			const ended = paramsOf(rows, "item/completed").map(({ item }) => item);
			expect(ended).toContainEqual({ ...future, done: true });
			for (const item of ended) expect(item).toMatchObject({ futureMember: EXTRA });

			expect(items).toContainEqual({ ...future, done: true });
			// What the person said is ours, not the program's.
			for (const item of items.filter(({ type }) => type !== "userMessage"))
				expect(item).toMatchObject({ futureMember: EXTRA });
		},
	);
});
