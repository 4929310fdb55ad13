import { anything, oneOf, optional, string, struct, tagged } from "../wire/decode.ts";
import { userInputs } from "./shared.ts";
import { settingsMembers } from "./thread.ts";

export const turnStart = struct("TurnStartParams", {
	threadId: string,
	clientUserMessageId: optional(string),
	input: userInputs,
	outputSchema: optional(anything),
	...settingsMembers,
});
export const turnSteer = struct("TurnSteerParams", {
	threadId: string,
	clientUserMessageId: optional(string),
	input: userInputs,
	expectedTurnId: string,
});
export const turnInterrupt = struct("TurnInterruptParams", { threadId: string, turnId: string });
export const reviewStart = struct("ReviewStartParams", {
	threadId: string,
	target: tagged("ReviewTarget", {
		uncommittedChanges: {},
		baseBranch: { branch: string },
		commit: { sha: string, title: optional(string) },
		custom: { instructions: string },
	}),
	delivery: optional(oneOf(["inline"])),
});
