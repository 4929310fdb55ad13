import type { StoredThread } from "#daemon/storage/repository/chat-thread.ts";
import type { Thread } from "#protocol/record.ts";
import type { ProviderSource } from "./deps.ts";

/** Shown while config.toml cannot be read: the turn itself will say what is wrong with it. */
const UNKNOWN = { provider: "none", model: null };

function defaultsOf(providers: ProviderSource): { provider: string; model: string | null } {
	try {
		return providers.defaults();
	} catch {
		return UNKNOWN;
	}
}

/** Threads as clients see them: one that follows the default shows what that resolves to now. */
export function presentThreads(providers: ProviderSource, stored: readonly StoredThread[]): Thread[] {
	const follows = stored.some((thread) => thread.provider === null);
	const now = follows ? defaultsOf(providers) : UNKNOWN;
	return stored.map((thread) =>
		thread.provider === null
			? { ...thread, provider: now.provider, model: thread.model ?? now.model }
			: { ...thread, provider: thread.provider },
	);
}

export function presentThread(providers: ProviderSource, stored: StoredThread): Thread {
	const [thread] = presentThreads(providers, [stored]);
	if (thread === undefined) throw new Error("a thread was lost on its way");
	return thread;
}
