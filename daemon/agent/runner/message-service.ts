import { deliverWrite, sendMessageWrite, steerWrite } from "#daemon/storage/repository/chat-message.ts";
import type { RunnerDeps } from "./deps.ts";
import type { CodexRunner } from "./runner.ts";

interface MessageServicePorts {
	deps: RunnerDeps;
	assertOpen(): void;
	/** Starts, or lets look, the turn that the store has open for this thread. */
	kick(threadId: string): void;
}

type MessageService = Pick<CodexRunner, "sendMessage" | "steer" | "deliver">;

/** Ways in for messages: each is stored with the turn it belongs to, and acknowledged after that. */
export function createMessageService({ deps, assertOpen, kick }: MessageServicePorts): MessageService {
	const { store, fault } = deps;

	return {
		async sendMessage(params, call) {
			assertOpen();
			fault("chat.before-turn-commit");
			const { client_message_id, ...rest } = params;
			const input = { ...rest, client_message_id: client_message_id ?? null, client: call.label };
			const result = await store.write(sendMessageWrite, input, { idempotency: call.idempotency });
			fault("chat.after-turn-commit");
			kick(result.thread_id);
			fault("chat.before-ack");
			// Its parts again: the protocol's results are open records.
			return { ...result };
		},
		async steer(params, call) {
			assertOpen();
			const input = { ...params, client_message_id: params.client_message_id ?? null, client: call.label };
			const result = await store.write(steerWrite, input, { idempotency: call.idempotency });
			kick(result.thread_id);
			return result;
		},
		async deliver(delivery) {
			assertOpen();
			const result = await store.write(deliverWrite, delivery);
			kick(result.thread_id);
			return { turn_id: result.turn_id };
		},
	};
}
