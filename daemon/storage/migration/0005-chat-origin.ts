import type { Migration } from "../store.ts";

/**
 * A thread that follows the default provider has none of its own (null), so that a login later counts for it; what older
 * rows name stays chosen, because nobody can tell any more whether a person chose it. Messages know the client that sent
 * them: the audit of what a turn did names it.
 */
export const chatOrigin: Migration = {
	version: 5,
	name: "chat-origin",
	sql: `
ALTER TABLE chat_thread RENAME COLUMN provider TO provider_before;
ALTER TABLE chat_thread ADD COLUMN provider TEXT;
UPDATE chat_thread SET provider = provider_before;
ALTER TABLE chat_thread DROP COLUMN provider_before;
ALTER TABLE chat_message ADD COLUMN client TEXT;
`,
};
