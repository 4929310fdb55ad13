import { CODEX_MODELS } from "#daemon/agent/provider/codex/catalogue.ts";
import type { Thread } from "#protocol/record.ts";
import type { Office } from "../office.ts";
import type { LiveThread } from "../thread/live-thread.ts";
import { CODEX_PROVIDER, providerOf } from "../thread/thread-view.ts";

/** The vendor's own server lists models that came after this version; it needs no warning. */
const VENDOR = "openai";

const isKnown = (model: string): boolean =>
	CODEX_MODELS.some(({ id }) => model.startsWith(id) || model.slice(model.indexOf("/") + 1).startsWith(id));

/** Tells those who follow a thread, at the start of each turn, that nothing is known of the model that leads it. */
export function warnOfUnknownModel(office: Office, live: LiveThread, thread: Thread): void {
	const { thread_id: threadId, model, provider } = thread;
	if (provider !== CODEX_PROVIDER || !model || isKnown(model)) return;
	if (providerOf(office.view, thread) === VENDOR) return;
	const message = `Model metadata for \`${model}\` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.`;
	for (const peer of live.subscribers) peer.notify("warning", { threadId, message });
}
