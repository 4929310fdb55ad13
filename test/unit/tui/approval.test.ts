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

describe("approvals", () => {
	test("approval: cannot be answered before it is armed, then y accepts it with its digest", () => {
		const driver = createDriver();
		put(driver, "a");
		expect(driver.effects()).toContainEqual({ kind: "arm_approval", approvalId: "a", afterMs: 400 });
		driver.keys("y");
		expect(answers(driver)).toEqual([]);
		driver.keys("ctrl+u");
		driver.wait(400);
		arm(driver, "a");
		driver.keys("y", "y");
		expect(answers(driver)).toEqual([
			{ kind: "answer_approval", approvalId: "a", digest: "digest-a", decision: "accept" },
		]);
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

	test("approval: takes no focus when the last key is younger than 400 ms, though the draft is empty", () => {
		const driver = createDriver();
		put(driver, "a");
		driver.wait(300);
		driver.keys("x", "backspace");
		driver.wait(100);
		driver.do({ type: "approval_armed", approvalId: "a" });
		driver.keys("y");
		expect(answers(driver)).toEqual([]);
		expect(driver.state().editor.text).toBe("y");
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
		driver.keys("y", "text:yes", "enter");
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
			approval: makeApproval("a", { command: "echo safe\u202e\u001b[8m; rm x" }),
		});
		expect(driver.live()).toContain("$ echo safe\\u202e\\x1b[8m; rm x");
	});
});
