import type { MessageState } from "#protocol/record.ts";

const RANK: Readonly<Record<MessageState, number>> = {
	accepted: 0,
	delivered: 1,
	seen: 2,
	answered: 3,
	done: 3,
	failed: 3,
	dropped: 3,
};

/** True when nothing more happens to a message in this state. */
export function isFinalState(state: MessageState): boolean {
	return RANK[state] === 3;
}

/** States only move forward, and a final one stays: late or repeated news change nothing. */
export function mayAdvance(from: MessageState, to: MessageState): boolean {
	return RANK[to] > RANK[from];
}
