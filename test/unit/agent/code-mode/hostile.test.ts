import { expect, test } from "vitest";
import { createDeferred } from "#base/deferred.ts";
import { answer, createCodeBench, head, texts } from "./bench.ts";

const MB = 1024 * 1024;
const LIMITS = { cpuMs: 2_000, memoryBytes: 48 * MB, outputBytes: MB };

test.each([
	["blank texts", "for (;;) text('')", "output more than it may"],
	["blank notes of control", "for (;;) yield_control()", "output more than it may"],
	["values", "for (let n = 0; ; n++) store(String(n), 'x'.repeat(10000))", "more than"],
	["promises", "for (;;) await 0", "processor time"],
	[
		"jobs",
		"const a = () => { Promise.resolve().then(a) }; a(); await new Promise(() => {})",
		"processor time",
	],
	["jobs that grow", "const a = () => Promise.resolve().then(a); a(); await new Promise(() => {})", ""],
	[
		"a getter that describes it",
		"throw Object.defineProperty(new Error('x'), 'name', { get() { for (;;); } })",
		"",
	],
])("code mode: a flood of %s ends its script, and the next one runs", async (_what, source, said) => {
	await using bench = createCodeBench({}, LIMITS);
	let last = await bench.exec(source);
	const all = [...texts(last)];
	while (head(last).startsWith("Script running")) {
		last = await bench.wait({ cell_id: "1" });
		all.push(...texts(last));
	}
	expect(head(last)).toBe("Script failed");
	expect(all.join("\n")).toContain(said);
	expect(bench.mode.running).toBe(0);
	expect(texts(await bench.exec('text("fine")'))).toEqual(["fine"]);
});

test("code mode: of thousands of calls at once few run, and the rest is refused", async () => {
	const open = createDeferred<void>();
	let running = 0;
	let most = 0;
	await using bench = createCodeBench(
		{
			async hold() {
				running += 1;
				most = Math.max(most, running);
				await open.promise;
				running -= 1;
				return answer("held");
			},
		},
		{ ...LIMITS, cpuMs: 20_000 },
	);
	const result = bench.exec(`
		let refused = 0;
		const held = Array.from({ length: 20000 }, () => tools.hold({}).catch(() => { refused += 1; }));
		await new Promise((resolve) => setTimeout(resolve, 50));
		text(refused);
		exit();
	`);
	expect(texts(await result)).toEqual(["19000"]);
	open.resolve();
	expect(most).toBeLessThanOrEqual(32);
	expect(bench.calls.length).toBeLessThanOrEqual(32);
	expect(texts(await bench.exec('text("fine")'))).toEqual(["fine"]);
});

test("code mode: more calls than run at once all come to their end, in order", async () => {
	await using bench = createCodeBench({ add: (input) => answer(input) });
	const result = await bench.exec(`
		const all = await Promise.all(Array.from({ length: 200 }, (_, n) => tools.add({ n })));
		text(all.every((said, n) => JSON.parse(said).n === n));
	`);
	expect(texts(result)).toEqual(["true"]);
	expect(bench.calls).toHaveLength(200);
});

test("code mode: what a script does to its own prototypes reaches nobody else", async () => {
	await using bench = createCodeBench({ add: (input) => answer(input) });
	const result = await bench.exec(`
		Map.prototype.get = () => { throw 1 };
		Object.prototype.polluted = true;
		Function.prototype.call = Array.prototype.push = Promise.prototype.then = undefined;
		const found = [];
		for (const way of ["return process", "return this.constructor.constructor('return process')()", "return globalThis.host"])
			try { found.push(String(new Function(way)())) } catch (error) { found.push("no") }
		text(found.filter((one) => one !== "no" && one !== "undefined").length);
		try { await import("node:fs"); text("in") } catch (error) { text("out") }
	`);
	expect(texts(result).join("|")).not.toContain("in");
	expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
	expect(texts(await bench.exec("text(typeof Object.prototype.polluted)"))).toEqual(["undefined"]);
});
