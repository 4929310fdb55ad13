import type { WeaveAgent, WeaveSession } from "#protocol/record.ts";

/** What a session is doing, from its members: somebody waits for a person before somebody works before nobody does. */
export function deriveSessionState(session: {
	closed: boolean;
	statuses: readonly WeaveAgent["status"][];
}): WeaveSession["state"] {
	if (session.closed) return "closed";
	if (session.statuses.includes("needs_you")) return "needs_you";
	if (session.statuses.includes("working")) return "working";
	return session.statuses.length === 0 ? "empty" : "idle";
}
