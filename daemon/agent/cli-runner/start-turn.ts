import { createDeferred } from "#base/deferred.ts";
import type { SteerMessage } from "#daemon/agent/loop-port.ts";
import type { UserInput } from "#protocol/codex-item.ts";
import type { CodexProcess } from "./codex-process.ts";
import { type Running, turnIdOf } from "./running-turn.ts";

function inputOf(message: SteerMessage): readonly UserInput[] {
	return message.content ?? [{ type: "text", text: message.text, text_elements: [] }];
}

/** Only the turn's first notification names it. */
async function startCompaction(process: CodexProcess, threadId: string): Promise<string> {
	const begun = createDeferred<string>();
	using _started = process.onNotification(({ method, params }) => {
		const id = method === "turn/started" && params["threadId"] === threadId ? turnIdOf(params) : undefined;
		if (id !== undefined) begun.resolve(id);
	});
	await process.request("thread/compact/start", { threadId });
	return await begun.promise;
}

/** The settings of one turn in the program's members. */
function turnParams({ input, context }: Running): Record<string, unknown> {
	const { effort, summary, outputSchema } = input.options ?? {};
	const { sandbox_policy: sandboxPolicy, collaboration_mode: collaborationMode } = context.settings ?? {};
	const model = input.model ?? undefined;
	const given = Object.entries({ sandboxPolicy, model, effort, summary, outputSchema, collaborationMode });
	return {
		cwd: input.cwd,
		approvalPolicy: context.approvalPolicy,
		...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
	};
}

/** Starts the turn at the program; returns its id there. */
export async function startTurn(running: Running): Promise<string> {
	const { input, process, providerThreadId: threadId } = running;
	if (input.kind === "compact") return await startCompaction(process, threadId);
	if (input.kind === "review") {
		const target = input.review?.target ?? { type: "uncommittedChanges" };
		return turnIdOf(await process.request("review/start", { threadId, target })) ?? "";
	}
	const [first, ...others] = input.messages;
	const started = await process.request("turn/start", {
		threadId,
		input: first === undefined ? [] : inputOf(first),
		clientUserMessageId: first?.itemId ?? null,
		...turnParams(running),
	});
	const turnId = turnIdOf(started) ?? "";
	running.turnId = turnId;
	for (const message of others) await steer(running, message);
	return turnId;
}

/** Hands a message to the running turn. */
export async function steer(running: Running, message: SteerMessage): Promise<void> {
	running.messages.set(message.itemId, message);
	await running.process.request("turn/steer", {
		threadId: running.providerThreadId,
		expectedTurnId: running.turnId,
		input: inputOf(message),
		clientUserMessageId: message.itemId,
	});
}
