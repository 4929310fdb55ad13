import { expect, test } from "vitest";
import type { ChatEvent } from "#protocol/chat-event.ts";
import { call, createHarness } from "./harness.ts";

type Required = Extract<ChatEvent, { type: "chat.approval.required" }>;
const isRequired = (event: ChatEvent): event is Required => event.type === "chat.approval.required";
const message = (thread_id: string) => ({ thread_id, text: "go", when_busy: "steer" as const });

test("approval: the tool acts only after an answer, and everyone is told who gave it", async () => {
	await using h = await createHarness({ script: [[{ call: { ask: true }, id: "c1" }], ["done"]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call());
	const { approval } = await h.until(isRequired);
	expect(h.tool.acted).toEqual([]);
	expect(h.runner.approvalsSnapshot().approvals).toMatchObject([
		{ approval_id: approval.approval_id, status: "pending" },
	]);
	expect(h.runner.activitySnapshot(threadId)).toMatchObject({
		thread: { status: "needs_you" },
		approvals: [{ item_id: "c1" }],
	});
	const answer = { approval_id: approval.approval_id, decision: "accept" as const, digest: "digest-1" };
	const [won, lost] = await Promise.allSettled([
		h.runner.respondApproval(answer, call("tui")),
		h.runner.respondApproval(answer, call("phone")),
	]);
	expect(won).toMatchObject({
		status: "fulfilled",
		value: { approval: { status: "accepted", resolved_by: "tui" } },
	});
	expect(lost).toMatchObject({
		status: "rejected",
		reason: { code: "APPROVAL_ALREADY_RESOLVED", message: "Already accepted by tui." },
	});
	await h.when("chat.turn.completed");
	expect(h.tool.acted).toEqual(["c1"]);
	expect(
		h.published.filter((entry) => entry.topic === "approvals.state").map((entry) => entry.event),
	).toMatchObject([{ op: "put" }, { op: "remove", value: { resolved_by: "tui" } }]);
});

test("approval: an answer for something else, or without the word, changes nothing", async () => {
	await using h = await createHarness({
		script: [[{ call: { ask: true, destructive: "delete" }, id: "c1" }]],
	});
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call());
	const { approval } = await h.until(isRequired);
	const answer = { approval_id: approval.approval_id, decision: "accept" as const };
	await expect(h.runner.respondApproval({ ...answer, digest: "other" }, call())).rejects.toMatchObject({
		code: "APPROVAL_DIGEST_MISMATCH",
	});
	await expect(h.runner.respondApproval({ ...answer, digest: "digest-1" }, call())).rejects.toMatchObject({
		code: "INVALID_PARAMS",
	});
	expect(h.runner.listApprovals({ all: false })).toHaveLength(1);
	await h.runner.respondApproval({ ...answer, digest: "digest-1", confirm: "delete" }, call());
	await h.when("chat.turn.completed");
	expect(h.tool.acted).toEqual(["c1"]);
});

test("approval: cancelling the turn expires it with the reason, and a late answer is refused", async () => {
	await using h = await createHarness({ script: [[{ call: { ask: true }, id: "c1" }]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call());
	const { approval } = await h.until(isRequired);
	await h.runner.cancel({ thread_id: threadId }, call("kim"));
	const resolved = await h.when("chat.approval.resolved");
	expect(resolved).toMatchObject({ approval: { status: "expired", resolved_reason: "interrupted by kim" } });
	const answer = { approval_id: approval.approval_id, decision: "accept" as const, digest: "digest-1" };
	await expect(h.runner.respondApproval(answer, call())).rejects.toMatchObject({ code: "APPROVAL_EXPIRED" });
	await h.until(
		(event): event is typeof event => event.type === "chat.item.completed" && event.item_id === "c1",
	);
	expect(h.runner.readThread({ thread_id: threadId, limit: 1 }).turns[0]?.items.at(-1)).toMatchObject({
		status: "declined",
	});
	expect(h.tool.acted).toEqual([]);
});

test("approval: the answer `cancel` interrupts the turn without another word of the model", async () => {
	await using h = await createHarness({ script: [[{ call: { ask: true }, id: "c1" }]] });
	const threadId = await h.thread();
	await h.runner.sendMessage(message(threadId), call());
	const { approval } = await h.until(isRequired);
	await h.runner.respondApproval(
		{ approval_id: approval.approval_id, decision: "cancel", digest: "digest-1" },
		call(),
	);
	expect(await h.when("chat.turn.completed")).toMatchObject({ turn: { status: "interrupted" } });
	expect(h.provider.requests).toHaveLength(1);
});
