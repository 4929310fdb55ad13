import type { ChatEvent } from "#protocol/chat-event.ts";
import type { Desk } from "../thread/desk.ts";
import type { LiveThread } from "../thread/live-thread.ts";

/** Pieces of what streams: said on as they come. */
export function tellStreamed(desk: Desk, live: LiveThread, event: ChatEvent): void {
	const ids = { threadId: live.threadId, turnId: event.turn_id };
	switch (event.type) {
		case "chat.message.delta":
			return desk.tell(live, "item/agentMessage/delta", {
				...ids,
				itemId: event.item_id,
				delta: event.delta,
			});
		case "chat.reasoning.delta": {
			const { item_id, delta, summary_index } = event;
			const said = { itemId: item_id, delta, summaryIndex: summary_index };
			return desk.tell(live, "item/reasoning/summaryTextDelta", { ...ids, ...said });
		}
		case "chat.reasoning.part": {
			const part = { itemId: event.item_id, summaryIndex: event.summary_index };
			return desk.tell(live, "item/reasoning/summaryPartAdded", { ...ids, ...part });
		}
		case "chat.reasoning.raw": {
			const { item_id, delta, content_index } = event;
			const said = { itemId: item_id, delta, contentIndex: content_index };
			return desk.tell(live, "item/reasoning/textDelta", { ...ids, ...said });
		}
		case "chat.plan.delta":
			return desk.tell(live, "item/plan/delta", { ...ids, itemId: event.item_id, delta: event.delta });
		case "chat.plan.updated": {
			const { explanation, plan } = event;
			return desk.tell(live, "turn/plan/updated", { ...ids, explanation, plan });
		}
		case "chat.command.output": {
			const said = { itemId: event.item_id, delta: event.delta };
			return desk.tell(live, "item/commandExecution/outputDelta", { ...ids, ...said });
		}
		case "chat.command.input": {
			const { item_id, process_id, stdin } = event;
			const said = { itemId: item_id, processId: process_id, stdin };
			return desk.tell(live, "item/commandExecution/terminalInteraction", { ...ids, ...said });
		}
	}
}
