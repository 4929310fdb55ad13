import { deliverWrite, sendMessageWrite, steerWrite } from "#daemon/storage/repository/chat-message.ts";
import type { RunnerDeps } from "./deps.ts";
import { toMessageParts } from "./message-parts.ts";
import type { CodexRunner, RunnerCall } from "./runner.ts";
import { assertFolder } from "./thread-folder.ts";

interface MessageServicePorts {
	deps: RunnerDeps;
	assertOpen(): void;
	/** Starts, or lets look, the turn that the store has open for this thread. */
	kick(threadId: string): void;
}

type MessageService = Pick<CodexRunner, "sendMessage" | "startTurn" | "steer" | "deliver">;

/** Ways in for messages: each is stored with the turn it belongs to, and acknowledged after that. */
export function createMessageService({ deps, assertOpen, kick }: MessageServicePorts): MessageService {
	const { store, fault } = deps;

	async function send(input: Parameters<typeof sendMessageWrite.run>[1], call: RunnerCall) {
		fault("chat.before-turn-commit");
		const result = await store.write(sendMessageWrite, input, { idempotency: call.idempotency });
		fault("chat.after-turn-commit");
		kick(result.thread_id);
		fault("chat.before-ack");
		// Its parts again: the protocol's results are open records.
		return { ...result };
	}

	return {
		async sendMessage(params, call) {
			assertOpen();
			const { client_message_id = null, ...rest } = params;
			return send({ ...rest, client_message_id, client: call.label }, call);
		},
		async startTurn(params, call) {
			assertOpen();
			const { thread_id, patch = {}, output_schema, expected_turn_id } = params;
			if (patch.cwd !== undefined) await assertFolder(patch.cwd);
			return send(
				{
					...patch,
					...toMessageParts(params.input),
					thread_id,
					turn_options: output_schema === undefined ? null : JSON.stringify({ output_schema }),
					client_message_id: params.client_message_id ?? null,
					client: call.label,
					when_busy: params.when_busy ?? "steer",
					expected_turn_id,
				},
				call,
			);
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
