import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createToolBench, lastItem, type ToolBench } from "./tool-bench.ts";

const MIXED = `*** Begin Patch
*** Update File: a.txt
@@
 one
-two
+2
 three
*** Add File: d/new.txt
+fresh
*** Delete File: b.txt
*** Update File: c.txt
*** Move to: moved.txt
@@
-move me
+moved
*** End Patch
`;

const patch = (...lines: string[]): string => ["*** Begin Patch", ...lines, "*** End Patch"].join("\n");

describe("apply_patch", () => {
	let bench: ToolBench;
	const read = (name: string): string => readFileSync(join(bench.cwd, name), "utf8");
	const write = (name: string, text: string): void => writeFileSync(join(bench.cwd, name), text);
	beforeEach(async () => {
		bench = await createToolBench();
		write("a.txt", "one\ntwo\nthree\n");
		write("b.txt", "bye\n");
		write("c.txt", "move me\n");
	});
	afterEach(() => bench[Symbol.asyncDispose]());

	test("apply_patch: adds, changes, moves and deletes when the workspace is writable", async () => {
		const result = await bench.patch.execute(MIXED, bench.with({ nowMs: () => 0 }));
		expect(result).toEqual({
			output:
				"Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA d/new.txt\nM a.txt\nM moved.txt\nD b.txt\n",
			success: true,
			stopTurn: false,
		});
		expect([read("a.txt"), read("d/new.txt"), read("moved.txt")]).toEqual([
			"one\n2\nthree\n",
			"fresh\n",
			"moved\n",
		]);
		expect(existsSync(join(bench.cwd, "b.txt")) || existsSync(join(bench.cwd, "c.txt"))).toBe(false);
		expect(bench.order()).toEqual(["started:inProgress", "intend", "done", "completed:completed", "diff"]);
		expect(lastItem(bench.told)["changes"]).toEqual([
			{
				path: join(bench.cwd, "a.txt"),
				kind: { type: "update", move_path: null },
				diff: "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
			},
			{ path: join(bench.cwd, "b.txt"), kind: { type: "delete" }, diff: "bye\n" },
			{
				path: join(bench.cwd, "c.txt"),
				kind: { type: "update", move_path: join(bench.cwd, "moved.txt") },
				diff: `@@ -1 +1 @@\n-move me\n+moved\n\n\nMoved to: ${join(bench.cwd, "moved.txt")}`,
			},
			{ path: join(bench.cwd, "d/new.txt"), kind: { type: "add" }, diff: "fresh\n" },
		]);
	});

	test("apply_patch: the turn's diff is git's own when several patches of a turn touch a file", async () => {
		await bench.patch.execute(MIXED, bench.context);
		await bench.patch.execute(patch("*** Update File: a.txt", "@@", " three", "+four"), bench.context);
		const diffs = bench.told
			.filter((one) => one.kind === "diff")
			.map((one) => one.diff.replaceAll(/[0-9a-f]{40}/g, "<sha>"));
		expect(diffs[0]).toBe(
			[
				"diff --git a/a.txt b/a.txt",
				"index <sha>..<sha>",
				"--- a/a.txt",
				"+++ b/a.txt",
				"@@ -1,3 +1,3 @@",
				" one",
				"-two",
				"+2",
				" three",
				"diff --git a/b.txt b/b.txt",
				"deleted file mode 100644",
				"index <sha>..<sha>",
				"--- a/b.txt",
				"+++ /dev/null",
				"@@ -1 +0,0 @@",
				"-bye",
				"diff --git a/c.txt b/moved.txt",
				"index <sha>..<sha>",
				"--- a/c.txt",
				"+++ b/moved.txt",
				"@@ -1 +1 @@",
				"-move me",
				"+moved",
				"diff --git a/d/new.txt b/d/new.txt",
				"new file mode 100644",
				"index <sha>..<sha>",
				"--- /dev/null",
				"+++ b/d/new.txt",
				"@@ -0,0 +1 @@",
				"+fresh",
				"",
			].join("\n"),
		);
		expect(diffs[1]).toContain("@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n");
	});

	test("apply_patch: the blob ids are git's when a file is added", async () => {
		await bench.patch.execute(patch("*** Add File: n.txt", "+hello"), bench.context);
		// `echo hello | git hash-object --stdin`
		expect(bench.told.at(-1)).toMatchObject({
			diff: expect.stringContaining("..ce013625030ba8dba906f756967f9e9ca394464a"),
		});
	});

	test("apply_patch: JSON around the patch is taken when a model has no custom tools", async () => {
		const result = await bench.patch.execute(JSON.stringify({ input: MIXED }), bench.context);
		expect(result.success).toBe(true);
	});

	test.each([
		["not a patch", /^apply_patch verification failed: invalid patch: The first line/],
		[
			patch("*** Update File: a.txt", "@@", "-nowhere", "+x"),
			/Failed to find expected lines in .*a\.txt:\nnowhere/,
		],
		[patch("*** Update File: none.txt", "@@", "-x", "+y"), /Failed to read file to update .*none\.txt/],
		[patch("*** Delete File: none.txt"), /Failed to read /],
		[patch("*** Update File: a.txt", "*** Move to: b.txt", "@@", "-two", "+2"), /exists already/],
		[patch("*** Update File: a.txt", "@@", "oops"), /Unexpected line found in update hunk/],
		[patch(), /^patch rejected: empty patch$/],
		[
			patch("*** Add File: ok.txt", "+x", "*** Update File: a.txt", "@@", "-zzz", "+x"),
			/Failed to find expected lines/,
		],
	])("apply_patch: nothing is told or written when the patch does not fit (%#)", async (text, expected) => {
		const result = await bench.patch.execute(text, bench.context);
		expect(result.output).toMatch(expected);
		expect(result).toMatchObject({ success: false, stopTurn: false });
		expect(bench.told).toEqual([]);
		expect(existsSync(join(bench.cwd, "ok.txt"))).toBe(false);
	});

	test("apply_patch: lines are found when blanks and punctuation differ, and kept as the file has them", async () => {
		write("f.txt", "  keep \u2013 this\t\nold\nend");
		await bench.patch.execute(
			patch("*** Update File: f.txt", "@@", " keep - this", "-old", "+new"),
			bench.context,
		);
		expect(read("f.txt")).toBe("  keep \u2013 this\t\nnew\nend\n");
	});

	test("apply_patch: anchors choose among equal places when several fit", async () => {
		write("f.txt", "class A\n  x = 1\nclass B\n  x = 1\n");
		await bench.patch.execute(
			patch("*** Update File: f.txt", "@@ class B", "-  x = 1", "+  x = 2"),
			bench.context,
		);
		expect(read("f.txt")).toBe("class A\n  x = 1\nclass B\n  x = 2\n");
		await bench.patch.execute(
			patch("*** Update File: f.txt", "@@", "+last", "*** End of File"),
			bench.context,
		);
		expect(read("f.txt")).toBe("class A\n  x = 1\nclass B\n  x = 2\nlast\n");
	});

	test("apply_patch: carriage returns stay when the file has them", async () => {
		write("f.txt", "a\r\nb\r\n");
		await bench.patch.execute(patch("*** Update File: f.txt", "@@", "-b", "+c"), bench.context);
		expect(read("f.txt")).toBe("a\r\nc\r\n");
	});

	test("apply_patch: a person is asked when the workspace is read-only, and declines", async () => {
		await using own = await createToolBench(() => Promise.resolve({ decision: "decline", resolvedBy: null }));
		const result = await own.patch.execute(
			patch("*** Add File: n.txt", "+x"),
			own.with({ sandbox: "read-only" }),
		);
		expect(result).toEqual({ output: "patch rejected by user", success: false, stopTurn: false });
		expect(own.order()).toEqual(["started:inProgress", "ask", "completed:declined"]);
		expect(existsSync(join(own.cwd, "n.txt"))).toBe(false);
	});

	test("apply_patch: the item gets no end when the person cancels", async () => {
		await using own = await createToolBench(() => Promise.resolve({ decision: "cancel", resolvedBy: null }));
		const result = await own.patch.execute(
			patch("*** Add File: n.txt", "+x"),
			own.with({ sandbox: "read-only" }),
		);
		expect(result.stopTurn).toBe(true);
		expect(own.order()).toEqual(["started:inProgress", "ask"]);
	});

	test("apply_patch: the same file is not asked again when accepted for the session", async () => {
		await using own = await createToolBench(() =>
			Promise.resolve({ decision: "accept_for_session", resolvedBy: null }),
		);
		const context = own.with({ sandbox: "read-only" });
		await own.patch.execute(patch("*** Add File: n.txt", "+x"), context);
		await own.patch.execute(patch("*** Update File: n.txt", "@@", "-x", "+y"), context);
		expect(own.told.filter((one) => one.kind === "ask")).toHaveLength(1);
		expect(readFileSync(join(own.cwd, "n.txt"), "utf8")).toBe("y\n");
	});

	test("apply_patch: the patch fails when the file changed while the person thought", async () => {
		const place = { cwd: "" };
		await using own = await createToolBench(() => {
			writeFileSync(join(place.cwd, "n.txt"), "meanwhile\n");
			return Promise.resolve({ decision: "accept", resolvedBy: null });
		});
		place.cwd = own.cwd;
		const result = await own.patch.execute(
			patch("*** Add File: n.txt", "+x"),
			own.with({ sandbox: "read-only" }),
		);
		expect(result.output).toMatch(/^Exit code: 1\n[\s\S]*has changed since/);
		expect(readFileSync(join(own.cwd, "n.txt"), "utf8")).toBe("meanwhile\n");
	});

	test("apply_patch: a link out of the workspace counts as outside", async () => {
		mkdirSync(join(bench.root, "outside"));
		symlinkSync(join(bench.root, "outside"), join(bench.cwd, "link"));
		symlinkSync(join(bench.root, "dangling"), join(bench.cwd, "broken"));
		for (const name of ["link/x.txt", "broken", "../x.txt", "/etc/weave-x"]) {
			const result = await bench.patch.execute(
				patch(`*** Add File: ${name}`, "+x"),
				bench.with({ approvalPolicy: "never" }),
			);
			expect(result.output).toMatch(/^patch rejected: writing outside of the project/);
		}
		expect(bench.told).toEqual([]);
	});

	test("apply_patch: our homes and git's own state are out of reach", async () => {
		symlinkSync(join(bench.root, "homie"), join(bench.cwd, "innocent"));
		const never = bench.with({ approvalPolicy: "never" });
		const own = await bench.patch.execute(
			patch("*** Add File: innocent/token", "+x"),
			bench.with({ sandbox: "danger-full-access" }),
		);
		expect(own.output).toMatch(/is protected/);
		const git = await bench.patch.execute(patch("*** Add File: .git/hooks/pre-commit", "+x"), never);
		expect(git.output).toMatch(/^patch rejected/);
	});
});
