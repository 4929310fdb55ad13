import { CodexError } from "../method.ts";
import type { Methods, Office } from "../office.ts";
import { threadRef } from "../params/shared.ts";
import { assertThreadId } from "../wire/thread-id.ts";

/** Section that every installation has. */
const PINNED = { id: "01984de2-8f74-7c91-a3b2-5c5e937cf318", name: "Pinned", appearance: null };
const NOTHING = { data: [], nextCursor: null };

/** Methods whose subject does not exist here: they answer as a server does on which nobody used it. */
export function createSmallMethods(office: Office): Methods {
	/** How many clients hold back elicitations, by thread. */
	const elicitations = new Map<string, number>();

	function requireThread(params: unknown): string {
		const { threadId } = threadRef.decode(params);
		assertThreadId(threadId);
		if (office.findThread(threadId) === undefined) throw new CodexError(`thread not found: ${threadId}`);
		return threadId;
	}

	function countElicitations(params: unknown, by: number) {
		const { threadId } = threadRef.decode(params);
		office.requireLoaded(threadId);
		const count = (elicitations.get(threadId) ?? 0) + by;
		if (count < 0) throw new CodexError("out-of-band elicitation count is already zero");
		elicitations.set(threadId, count);
		return { count, paused: count > 0 };
	}

	function nothingOf(params: unknown) {
		requireThread(params);
		return NOTHING;
	}

	return {
		"thread/increment_elicitation": (params) => countElicitations(params, 1),
		"thread/decrement_elicitation": (params) => countElicitations(params, -1),
		"thread/memoryMode/set"(params) {
			requireThread(params);
			return {};
		},
		"thread/memory/read"(params) {
			requireThread(params);
			return { summary: null };
		},
		"thread/queue/list": nothingOf,
		"thread/attachment/list": nothingOf,
		"thread/searchOccurrences": nothingOf,
		"project/list": () => NOTHING,
		"threadSection/list": () => ({ data: [PINNED], nextCursor: null }),
	};
}
