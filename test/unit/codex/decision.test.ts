import { expect, test } from "vitest";
import { readDecision } from "#daemon/codex/turn/server-requests.ts";

const amendment = (words: unknown) => ({
	decision: { acceptWithExecpolicyAmendment: { execpolicy_amendment: words } },
});

test.each([
	...["constructor", "__proto__", "toString", "approved", ""].map((decision) => ({ decision })),
	...[undefined, null, [], "accept", { decision: ["accept"] }, { decision: {} }],
	...[
		amendment(["bash"]),
		amendment(["touch", "b"]),
		amendment(["touch", "a", "b"]),
		amendment([]),
		amendment([1]),
	],
])("approvals: %j of a client declines", (result) => {
	expect(readDecision(result, ["touch", "a"])).toMatchObject({ decision: "decline" });
});

test("approvals: only the prefix that was proposed is accepted, and none where none was", () => {
	const accepted = { decision: "accept", allowPrefix: ["touch", "a"] };
	expect(readDecision(amendment(["touch", "a"]), ["touch", "a"])).toEqual(accepted);
	expect(readDecision(amendment(["touch", "a"]), null)).toMatchObject({ decision: "decline" });
});
