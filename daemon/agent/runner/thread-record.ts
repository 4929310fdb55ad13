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

/** Threads as clients see them: with what the default resolves to now, and waiting while a client is asked something. */
export interface ThreadPresenter {
	many(stored: readonly StoredThread[]): Thread[];
	one(stored: StoredThread): Thread;
}

export function createThreadPresenter(
	providers: ProviderSource,
	/** Whether an open question belongs to the thread. */
	isAsking: (threadId: string) => boolean,
): ThreadPresenter {
	function many(stored: readonly StoredThread[]): Thread[] {
		const follows = stored.some((thread) => thread.provider === null);
		const now = follows ? defaultsOf(providers) : UNKNOWN;
		return stored.map((thread) => ({
			...thread,
			status: isAsking(thread.thread_id) ? "needs_you" : thread.status,
			provider: thread.provider ?? now.provider,
			model: thread.provider === null ? (thread.model ?? now.model) : thread.model,
		}));
	}
	return {
		many,
		one(stored) {
			const [thread] = many([stored]);
			if (thread === undefined) throw new Error("a thread was lost on its way");
			return thread;
		},
	};
}
