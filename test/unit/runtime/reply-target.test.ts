import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mayBeAnswered } from "#daemon/runtime/loop-guard.ts";
import { isFinalState, mayAdvance } from "#daemon/runtime/message-state.ts";
import { ownerOf } from "#daemon/runtime/ownership.ts";
import { outcomeOfTurn, type Question, settleQuestion } from "#daemon/runtime/reply-target.ts";
import { deriveSessionState } from "#daemon/runtime/session-state.ts";
import type { MessageState, WeaveMessage } from "#protocol/record.ts";

const STATES: readonly MessageState[] = [
	"accepted",
	"delivered",
	"seen",
	"answered",
	"done",
	"failed",
	"dropped",
];
const KINDS: readonly WeaveMessage["kind"][] = ["user", "reply", "control", "system"];
const AGENTS = ["a", "b", "c", "d"] as const;
const ASKER: Readonly<Record<string, Question["asker"]>> = {
	a: "thread",
	b: "external",
	c: "person",
	d: "left",
};

interface Mail extends Question {
	state: MessageState;
	answers: number;
	inReplyTo: string | undefined;
}

/** One thing that may happen to one message, in any order and any number of times. */
const news = fc.record({
	index: fc.nat(200),
	what: fc.oneof(
		fc.constantFrom<MessageState>("delivered", "seen").map((state) => ({ advance: state })),
		fc.record({
			status: fc.constantFrom("completed", "interrupted", "failed"),
			final_text: fc.option(fc.constantFrom("done it", " ", "")),
		}),
	),
});
const sent = fc.record({
	from: fc.constantFrom(...AGENTS),
	to: fc.constantFrom(...AGENTS),
	kind: fc.constantFrom(...KINDS),
});

function play(
	mails: Mail[],
	step: { index: number; what: { advance: MessageState } | Parameters<typeof outcomeOfTurn>[0] },
): void {
	const mail = mails[step.index % mails.length];
	if (mail === undefined) return;
	if ("advance" in step.what) {
		if (mayAdvance(mail.state, step.what.advance)) mail.state = step.what.advance;
		return;
	}
	for (const effect of settleQuestion(mail, outcomeOfTurn(step.what))) {
		if (effect.effect === "settle") {
			expect(isFinalState(mail.state)).toBe(false);
			mail.state = effect.outcome.state;
			if (effect.outcome.state === "answered") mail.answers += 1;
			continue;
		}
		expect(effect.to_agent_id).toBe(mail.from_agent_id);
		expect(effect.from_agent_id).toBe(mail.to_agent_id);
		mails.push({
			message_id: `m${mails.length}`,
			kind: "reply",
			state: "accepted",
			from_agent_id: effect.from_agent_id,
			to_agent_id: effect.to_agent_id,
			asker: ASKER[effect.from_agent_id] ?? "left",
			answers: 0,
			inReplyTo: effect.in_reply_to,
		});
	}
}

describe("runtime", () => {
	it("runtime: nothing is answered twice and replies go to the asker alone, whatever the order of news", () => {
		fc.assert(
			fc.property(
				fc.array(sent, { minLength: 1, maxLength: 12 }),
				fc.array(news, { maxLength: 120 }),
				(first, steps) => {
					const mails: Mail[] = first.map((mail, index) => ({
						message_id: `m${index}`,
						kind: mail.kind,
						state: "accepted",
						from_agent_id: mail.from,
						to_agent_id: mail.to,
						asker: ASKER[mail.from] ?? "left",
						answers: 0,
						inReplyTo: undefined,
					}));
					for (const step of steps) play(mails, step);
					const replies = mails.filter((mail) => mail.inReplyTo !== undefined);
					expect(new Set(replies.map((mail) => mail.inReplyTo)).size).toBe(replies.length);
					// A reply is the end of the line: there are never more of them than questions.
					expect(replies.length).toBeLessThanOrEqual(first.filter((mail) => mail.kind === "user").length);
					for (const mail of mails) {
						expect(mail.answers).toBeLessThanOrEqual(mayBeAnswered(mail.kind) ? 1 : 0);
						if (mail.inReplyTo === undefined) continue;
						const question = mails.find((other) => other.message_id === mail.inReplyTo);
						expect(question).toMatchObject({
							kind: "user",
							state: "answered",
							from_agent_id: mail.to_agent_id,
						});
					}
				},
			),
			{ numRuns: 300, seed: 7 },
		);
	});

	it("runtime: states only move forward", () => {
		for (const from of STATES) {
			expect(mayAdvance(from, from)).toBe(false);
			for (const to of STATES) {
				if (isFinalState(from)) expect(mayAdvance(from, to)).toBe(false);
				expect(mayAdvance(from, to) && mayAdvance(to, from)).toBe(false);
			}
		}
	});

	it("runtime: a person's question is answered on the message, without mail", () => {
		const question: Question = {
			message_id: "m",
			kind: "user",
			state: "seen",
			from_agent_id: "p",
			to_agent_id: "t",
			asker: "person",
		};
		const effects = settleQuestion(question, { state: "answered", answer: "42", reason: null });
		expect(effects).toEqual([
			{ effect: "settle", message_id: "m", outcome: { state: "answered", answer: "42", reason: null } },
		]);
	});

	it("runtime: a turn's end becomes the outcome of what it took up", () => {
		expect(outcomeOfTurn({ status: "completed", final_text: "x" })).toEqual({
			state: "answered",
			answer: "x",
			reason: null,
		});
		expect(outcomeOfTurn({ status: "completed", final_text: " \n" })).toEqual({
			state: "done",
			answer: null,
			reason: null,
		});
		expect(outcomeOfTurn({ status: "interrupted", final_text: "half" })).toMatchObject({
			state: "failed",
			reason: "interrupted",
		});
		expect(outcomeOfTurn({ status: "failed", final_text: null })).toMatchObject({
			state: "failed",
			reason: "turn_failed",
		});
	});

	it("runtime: a conversation without an owner is its sender's", () => {
		expect(ownerOf({ sender_id: "s" })).toBe("s");
		expect(ownerOf({ sender_id: "s", owner_id: " " })).toBe("s");
		expect(ownerOf({ sender_id: "s", owner_id: "o" })).toBe("o");
	});

	it("runtime: a session needs somebody before it works, and works before it idles", () => {
		expect(deriveSessionState({ closed: false, statuses: [] })).toBe("empty");
		expect(deriveSessionState({ closed: false, statuses: ["idle"] })).toBe("idle");
		expect(deriveSessionState({ closed: false, statuses: ["idle", "working"] })).toBe("working");
		expect(deriveSessionState({ closed: false, statuses: ["working", "needs_you"] })).toBe("needs_you");
		expect(deriveSessionState({ closed: true, statuses: [] })).toBe("closed");
	});
});
