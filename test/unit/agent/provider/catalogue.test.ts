import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
	type CatalogueModel,
	catalogueModelSchema,
	createCatalogue,
} from "#daemon/agent/provider/catalogue/catalogue.ts";
import { fetchModels } from "#daemon/agent/provider/catalogue/fetch-models.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { startWireServer } from "#test/support/wire-server.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "weave-catalogue-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function catalogueOn(answers: (string[] | Error)[], clock = createFakeClock(), source = "s") {
	const asked = { count: 0 };
	const catalogue = createCatalogue({
		...{ file: join(folder, "cache", "models.json"), source, clock, fallback: ["known"], ttlMs: 1000 },
		async discover(): Promise<CatalogueModel[]> {
			asked.count += 1;
			const answer = answers.shift() ?? new Error("no answer");
			if (answer instanceof Error) throw answer;
			return answer.map((id) => catalogueModelSchema.parse({ id }));
		},
	});
	return { catalogue, asked, ids: () => catalogue.models().map((model) => model.id) };
}

test("catalogue: the fall-back answers at once, then what was found, also in the next process", async () => {
	const clock = createFakeClock();
	const first = catalogueOn([["a", "b"]], clock);
	expect(first.ids()).toEqual(["known"]);
	await first.catalogue.refresh();
	expect(first.ids()).toEqual(["a", "b"]);
	const second = catalogueOn([], clock);
	expect(second.ids()).toEqual(["a", "b"]);
	expect(second.asked.count).toBe(0);
	expect(catalogueOn([], clock, "elsewhere").ids()).toEqual(["known"]);
});

test("catalogue: old knowledge is renewed once, and stays when nobody answers", async () => {
	const clock = createFakeClock();
	const { catalogue, asked, ids } = catalogueOn([["a"], new Error("away"), ["b"]], clock);
	await catalogue.refresh();
	clock.advance(1001);
	expect([ids(), ids()]).toEqual([["a"], ["a"]]);
	await expect(catalogue.refresh()).rejects.toThrow("away");
	expect(asked.count).toBe(2);
	expect(ids()).toEqual(["a"]);
	expect(asked.count).toBe(2);
	clock.advance(60_001);
	expect(ids()).toEqual(["a"]);
	await catalogue.refresh();
	expect(ids()).toEqual(["b"]);
});

test("catalogue: a broken cache and a folder that cannot be written cost nothing", async () => {
	writeFileSync(join(folder, "cache"), "a file in the way");
	const { catalogue, ids } = catalogueOn([["a"]]);
	expect(ids()).toEqual(["known"]);
	await catalogue.refresh();
	expect(ids()).toEqual(["a"]);
	expect(existsSync(join(folder, "cache", "models.json"))).toBe(false);
});

test("catalogue: lists come page by page, and entries of another shape are passed over", async () => {
	await using server = await startWireServer();
	const page = (body: unknown) => ({
		headers: { "content-type": "application/json" },
		pieces: [JSON.stringify(body)],
	});
	server.answer(
		"/models",
		page({ data: [{ id: "a" }, { nope: 1 }], has_more: true, last_id: "a" }),
		page({ data: [{ id: "b", meta: { n_ctx: 5 } }], has_more: false }),
	);
	const models = await fetchModels({
		url: `${server.url}/models?limit=1`,
		headers: {},
		signal: new AbortController().signal,
	});
	expect(models).toMatchObject([{ id: "a" }, { id: "b", context_window: 5 }]);
	expect(server.requests.at(-1)?.path).toBe("/models?limit=1&after_id=a");
	server.answer("/models", { status: 500 });
	await expect(
		fetchModels({ url: `${server.url}/models`, headers: {}, signal: new AbortController().signal }),
	).rejects.toThrow("answered 500");
});
