import { describe, expect, test } from "vitest";
import { makeApproval } from "../../support/tui-records.ts";
import { createDriver, type Driver } from "./tui-driver.ts";

function put(driver: Driver, ...ids: string[]): void {
	for (const id of ids) driver.do({ type: "approval_put", approval: makeApproval(id) });
}
function arm(driver: Driver, id: string): void {
	driver.wait(400);
	driver.do({ type: "approval_armed", approvalId: id });
}
function answers(driver: Driver) {
	return driver.effects().filter((effect) => effect.kind === "answer_approval");
}

const ACCEPT_A = { kind: "answer_approval", approvalId: "a", digest: "digest-a", decision: "accept" };

describe("approvals", () => {
	test("approval: cannot be answered before it is armed, then y accepts it with its digest", () => {
		const driver = createDriver();
		put(driver, "a");
		expect(driver.effects()).toContainEqual({ kind: "arm_approval", approvalId: "a", afterMs: 400 });
		driver.keys("y");
		expect(answers(driver)).toEqual([]);
		driver.keys("ctrl+u");
		arm(driver, "a");
		driver.wait(1_100);
		driver.keys("y");
		driver.wait(500);
		driver.keys("y");
		driver.wait(500);
		expect(answers(driver)).toEqual([ACCEPT_A]);
	});

	test("approval: three that arrive while the person types get none of the keys", () => {
		const driver = createDriver();
		const text = "yes and no, any can cancel: y a n c yyy";
		for (const [index, letter] of [...text].entries()) {
			driver.keys(letter);
			driver.wait(90);
			if (index === 3) put(driver, "a");
			if (index === 9) driver.do({ type: "approval_armed", approvalId: "a" });
			if (index === 12) put(driver, "b", "c");
		}
		expect(answers(driver)).toEqual([]);
		expect(driver.state().editor.text).toBe(text);
		expect(driver.state().approvals.queue[0]?.approval_id).toBe("a");
		expect(driver.live()).toContain("Ctrl+X to answer");
	});

	test("approval: takes no focus before the keys have rested for 1.5 s, though the draft is empty", () => {
		const driver = createDriver();
		put(driver, "a");
		driver.keys("x", "backspace");
		arm(driver, "a");
		driver.wait(1_000);
		driver.keys("y");
		expect(driver.state().editor.text).toBe("y");
		driver.keys("backspace");
		driver.wait(1_499);
		expect(driver.state().approvals.isFocused).toBe(false);
		driver.wait(1);
		expect(driver.state().approvals.isFocused).toBe(true);
		expect(answers(driver)).toEqual([]);
	});

	test("approval: somebody who sent a message and waits gets the prompt by itself", () => {
		const driver = createDriver();
		driver.keys("text:make it", "enter");
		driver.wait(200);
		put(driver, "a");
		arm(driver, "a");
		expect(driver.live()).toContain("Ctrl+X to answer");
		driver.wait(900);
		expect(driver.live()).toContain("y once");
	});

	test.each([
		["yes, and then the docs", 90],
		["no wait", 450],
		["a", 5_000],
		["can you explain", 200],
	])(
		"approval: “%s”, a key every %i ms, begins a sentence unless its first key stays alone",
		(text, pause) => {
			const driver = createDriver();
			put(driver, "a");
			arm(driver, "a");
			for (const letter of text) {
				driver.keys(letter);
				driver.wait(pause);
			}
			const isAnswer = text.length === 1;
			expect(answers(driver)).toHaveLength(isAnswer ? 1 : 0);
			expect(driver.state().editor.text).toBe(isAnswer ? "" : text);
		},
	);

	test.each([
		["Enter", "enter", 1],
		["the same key again", "y", 1],
		["Esc", "escape", 0],
		["an arrow", "left", 0],
	])("approval: a held answer and %s", (_name, key, count) => {
		const driver = createDriver();
		put(driver, "a");
		arm(driver, "a");
		driver.keys("y");
		expect(driver.live()).toContain("approving…  esc takes it back");
		driver.keys(key);
		driver.wait(500);
		expect(answers(driver)).toHaveLength(count);
		expect(driver.state().editor.text).toBe("");
		expect(driver.state().approvals.isFocused).toBe(count === 0);
	});

	test("approval: a held answer does not fall on the next request", () => {
		const driver = createDriver();
		put(driver, "a", "b");
		arm(driver, "a");
		driver.keys("y");
		driver.do({ type: "approval_resolved", approval: makeApproval("a", { status: "declined" }) });
		driver.wait(500);
		expect(answers(driver)).toEqual([]);
		expect(driver.live()).toContain("npm test -- b");
	});

	test("approval: one left for later takes no keys by itself again", () => {
		const driver = createDriver();
		put(driver, "a");
		arm(driver, "a");
		driver.keys("escape");
		driver.wait(10_000);
		expect(driver.state().approvals.isFocused).toBe(false);
		driver.keys("ctrl+x", "y");
		expect(answers(driver)).toEqual([ACCEPT_A]);
	});

	test("approval: a command taller than its place is scrolled, and approved only once its end was in sight", () => {
		const driver = createDriver({ columns: 40, rows: 12 });
		const script = `${"echo some words and more; ".repeat(20)}rm last`;
		const argv = ["/bin/bash", "-lc", script];
		driver.do({ type: "approval_put", approval: makeApproval("a", { command: "unused", argv }) });
		arm(driver, "a");
		driver.keys("ctrl+x");
		expect(driver.live()).toMatch(/approve {2}1-\d+ of \d+/);
		expect(driver.live()).not.toContain("rm last");
		expect(driver.live()).toContain("space more");
		driver.keys("y");
		expect(answers(driver)).toEqual([]);
		expect(driver.live()).toContain("there is more of it");
		let seen = "";
		for (let page = 0; page < 12; page += 1) {
			seen += driver.live();
			driver.keys(" ");
		}
		seen += driver.live();
		expect(seen).toContain("rm last");
		expect(seen).toContain("run by /bin/bash -lc");
		driver.keys("pageup", "y");
		expect(answers(driver)).toEqual([ACCEPT_A]);
	});

	test("approval: a cut word shows that it goes on, so that no blank is seen where none is", () => {
		const driver = createDriver({ columns: 40 });
		const path = `/home/ana/${"x".repeat(60)}`;
		driver.do({ type: "approval_put", approval: makeApproval("a", { argv: ["rm", path, "/b c"] }) });
		const rows = driver.live().split("\n");
		const at = rows.findIndex((row) => row.includes("$ rm"));
		expect(rows[at + 1]).toMatch(/^ {5}\/home\/ana\/x+\\$/);
		expect(rows.slice(at, at + 4).join("")).toContain("'/b c'");
	});

	test("approval: a patch shows all that it writes, in the words of its kind", () => {
		const driver = createDriver({ rows: 60 });
		const diff = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join("");
		const changes = [
			{ path: "/home/ana/src/shop/new.txt", diff },
			{ path: "src/a.ts", diff: "@@ -1,2 +1,2 @@\n same\n-old\u202e\n+new\n" },
		];
		driver.do({
			type: "approval_put",
			approval: makeApproval("a", { kind: "patch", command: null, argv: null, changes }),
		});
		expect(driver.live()).toContain("~ new.txt");
		expect(driver.live()).toContain("the whole file");
		expect(driver.live()).toContain("20 + line 20");
		expect(driver.live()).toContain("2 − old\\u202e");
		expect(driver.live()).not.toContain("more");
	});

	test("approval: a word instead of an answer goes to the composer and takes the focus along", () => {
		const driver = createDriver();
		put(driver, "a");
		arm(driver, "a");
		driver.keys("text:yes please", "n");
		expect(answers(driver)).toEqual([]);
		expect(driver.state().editor.text).toBe("yes pleasen");
	});

	test("approval: the shown key focuses it over a draft, which survives", () => {
		const driver = createDriver();
		driver.keys("text:half a thought");
		put(driver, "a");
		arm(driver, "a");
		driver.keys("ctrl+x", "n");
		expect(answers(driver)).toEqual([
			{ kind: "answer_approval", approvalId: "a", digest: "digest-a", decision: "decline" },
		]);
		expect(driver.state().editor.text).toBe("half a thought");
	});

	test("approval: the visible one is never replaced, and the next arms anew", () => {
		const driver = createDriver();
		put(driver, "b", "a");
		driver.do({
			type: "approvals_snapshot",
			approvals: [makeApproval("a"), makeApproval("b"), makeApproval("c")],
		});
		expect(driver.state().approvals.queue.map((entry) => entry.approval_id)).toEqual(["b", "a", "c"]);
		arm(driver, "b");
		driver.do({
			type: "approval_put",
			approval: makeApproval("b", { command: "rm -rf /", digest: "other" }),
		});
		expect(driver.live()).toContain("npm test -- b");
		driver.keys("y");
		driver.wait(500);
		driver.effects();
		driver.do({
			type: "approval_resolved",
			approval: makeApproval("b", { status: "accepted", resolved_by: "ana@tui" }),
		});
		expect(driver.state().approvals).toMatchObject({ isArmed: false, isFocused: false });
		driver.keys("y");
		expect(answers(driver)).toEqual([]);
		expect(driver.printed()).toContain("approved by you");
	});

	test("approval: an arming that comes late does not arm another one", () => {
		const driver = createDriver();
		put(driver, "a", "b");
		driver.do({
			type: "approval_resolved",
			approval: makeApproval("a", { status: "expired", resolved_reason: "the daemon was restarted" }),
		});
		driver.do({ type: "approval_armed", approvalId: "a" });
		expect(driver.state().approvals.isArmed).toBe(false);
		expect(driver.printed()).toContain("expired (the daemon was restarted)");
	});

	test("approval: says who answered when another client did", () => {
		const driver = createDriver();
		put(driver, "a");
		driver.do({
			type: "approval_resolved",
			approval: makeApproval("a", { status: "declined", resolved_by: "ana@phone" }),
		});
		expect(driver.printed()).toContain("declined by ana@phone  $ npm test -- a");
		expect(driver.state().approvals.queue).toEqual([]);
	});

	test("approval: a destructive one wants its word", () => {
		const driver = createDriver();
		driver.do({
			type: "approval_put",
			approval: makeApproval("a", { destructive: "deletes outside git", confirm_word: "delete" }),
		});
		arm(driver, "a");
		expect(driver.live()).toContain("deletes outside git");
		driver.keys("ctrl+x", "y", "text:yes", "enter");
		expect(answers(driver)).toEqual([]);
		expect(driver.live()).toContain("type the word “delete”");
		driver.keys("ctrl+u", "text:delete", "enter");
		expect(answers(driver)).toEqual([
			{ kind: "answer_approval", approvalId: "a", digest: "digest-a", decision: "accept", confirm: "delete" },
		]);
	});

	test("approval: a refused answer tells why, and one that is gone leaves", () => {
		const driver = createDriver();
		put(driver, "a", "b");
		arm(driver, "a");
		driver.keys("y");
		driver.wait(500);
		driver.do({
			type: "approval_refused",
			approvalId: "a",
			message: "It was answered already.",
			isGone: true,
		});
		expect(driver.state().approvals.queue.map((entry) => entry.approval_id)).toEqual(["b"]);
		expect(driver.live()).toContain("It was answered already.");
	});

	test("approval: esc leaves it for later without an answer", () => {
		const driver = createDriver();
		put(driver, "a");
		arm(driver, "a");
		driver.keys("escape", "y");
		expect(answers(driver)).toEqual([]);
		expect(driver.state().editor.text).toBe("y");
	});

	test("approval: hidden characters of the command are shown", () => {
		const driver = createDriver();
		driver.do({
			type: "approval_put",
			approval: makeApproval("a", { argv: ["sh", "-c", "echo safe\u202e\u001b[8m; rm x"] }),
		});
		expect(driver.live()).toContain("$ echo safe\\u202e\\x1b[8m; rm x");
	});
});
