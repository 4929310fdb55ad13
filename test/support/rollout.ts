import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { createRolloutLibrary } from "#daemon/agent/rollout/library.ts";
import type { RolloutLibrary } from "#daemon/agent/rollout/port.ts";
import type { Store } from "#daemon/storage/store.ts";
import { type CodexOracle, startCodexOracle } from "./codex-oracle.ts";
import { createMemoryLogger } from "./logger.ts";

/** The rollout library on a store and a Codex home; whoever opens it disposes it. */
export function openTestLibrary(store: Store, codexHome: string): RolloutLibrary {
	return createRolloutLibrary({
		...{ store, codexHome, clock: systemClock, logger: createMemoryLogger() },
		machineId: "machine-1",
		version: "0.169.0",
		provider: () => "scripted",
		changed: () => undefined,
	});
}

/** A real Codex with what a conversation needs. */
export interface Conversation extends AsyncDisposable {
	readonly oracle: CodexOracle;
	/** Starts a turn and waits for its end. */
	say(threadId: string, text: string): Promise<void>;
	/** Resolves when so many turns have ended in all. */
	ended(count: number): Promise<void>;
}

/** Starts the real one on this home; every question is answered with yes. */
export async function startConversation(root: string, codexHome: string): Promise<Conversation> {
	await mkdir(join(root, "work"), { recursive: true });
	const oracle = await startCodexOracle({ root, codexHome });
	let count = 0;
	const waiting: { at: number; resolve: () => void }[] = [];
	oracle.listen(({ method, id }) => {
		if (id !== undefined) oracle.respond(id, { decision: "accept" });
		if (method !== "turn/completed") return;
		count += 1;
		for (const { at, resolve } of waiting) if (count >= at) resolve();
	});
	const ended = (at: number): Promise<void> =>
		count >= at ? Promise.resolve() : new Promise((resolve) => waiting.push({ at, resolve }));
	return {
		oracle,
		ended,
		async say(threadId, text) {
			const end = ended(count + 1);
			const input = [{ type: "text", text, text_elements: [] }];
			await oracle.request("turn/start", { threadId, input });
			await end;
		},
		[Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose](),
	};
}
