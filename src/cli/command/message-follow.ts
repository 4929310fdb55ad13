import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import type { DaemonClient } from "#client/client.ts";
import type { WeaveMessage } from "#protocol/record.ts";
import { watchLink } from "./link-patience.ts";

/**
 * Tells the changes of a session's messages, each once and in order, across lost links: what a snapshot shows changed
 * is told too. Resolves when `onMessage` says it has enough.
 * @throws AppError of the subscription, DAEMON_UNAVAILABLE when the daemon stays away, or the signal's reason.
 */
export async function followMessages(
	{ client, sessionId, signal }: { client: DaemonClient; sessionId: string; signal: AbortSignal },
	onMessage: (message: WeaveMessage, from: "first-snapshot" | "later") => "enough" | undefined,
): Promise<void> {
	const done = createDeferred<void>();
	const known = new Map<string, string>();
	let first = true;

	function tell(message: WeaveMessage, from: "first-snapshot" | "later"): void {
		if (known.get(message.message_id) === message.state) return;
		known.set(message.message_id, message.state);
		if (onMessage(message, from) === "enough") done.resolve();
	}
	function onAbort(): void {
		done.reject(signal.reason instanceof AppError ? signal.reason : new AppError("CANCELLED"));
	}

	using owned = new DisposableStack();
	owned.use(
		client.subscribe(`sessions.activity:${sessionId}`, {
			onSnapshot(payload) {
				for (const message of (payload as { messages: WeaveMessage[] }).messages)
					tell(message, first ? "first-snapshot" : "later");
				first = false;
			},
			onEvent: (payload) => tell((payload as { message: WeaveMessage }).message, "later"),
			onError: (error) => done.reject(error),
		}),
	);
	owned.use(watchLink(client, done.reject));
	signal.addEventListener("abort", onAbort, { once: true });
	owned.defer(() => signal.removeEventListener("abort", onAbort));
	if (signal.aborted) onAbort();
	await done.promise;
}

const FINAL: ReadonlySet<WeaveMessage["state"]> = new Set(["answered", "done", "failed", "dropped"]);

/** Resolves with the message once nothing more happens to it. */
export async function waitForAnswer(
	client: DaemonClient,
	sent: WeaveMessage,
	signal: AbortSignal,
): Promise<WeaveMessage> {
	let last = sent;
	if (FINAL.has(last.state)) return last;
	const mine = new AbortController();
	const following = followMessages(
		{ client, sessionId: sent.session_id, signal: AbortSignal.any([signal, mine.signal]) },
		(message) => {
			if (message.message_id !== sent.message_id) return undefined;
			last = message;
			return FINAL.has(message.state) ? "enough" : undefined;
		},
	);
	following.catch(() => undefined);
	// A busy session may have pushed it out of the snapshot before the subscription was there.
	const { message } = await client.call("weave.message.read", { message_id: sent.message_id }, { signal });
	if (FINAL.has(message.state)) {
		mine.abort(new AppError("CANCELLED"));
		return message;
	}
	await following;
	return last;
}
