import type { ApprovalPolicy } from "#protocol/record.ts";
import type { Effect } from "./action.ts";
import type { State } from "./state.ts";
import { only, type Update } from "./update.ts";

/** A wish for the model or the approval mode: kept for the next thread, and sent to the open one. */
export function applySettings(state: State, wish: { model?: string; policy?: ApprovalPolicy }): Update {
	const next: State = {
		...state,
		wantedModel: wish.model ?? state.wantedModel,
		wantedPolicy: wish.policy ?? state.wantedPolicy,
	};
	if (state.slot.threadId === undefined) return only(next);
	const effect: Effect = { kind: "update_settings", threadId: state.slot.threadId, ...wish };
	return only(next, effect);
}
