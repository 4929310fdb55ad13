import { createGreeter } from "../initialize.ts";
import type { CodexLink } from "../link.ts";
import { readMessage } from "../wire/message.ts";

interface EarlyPlace {
	readonly codexHome: string;
	/** Version of Codex that we speak. */
	readonly protocol: string;
	/** Called at the first message: reading may stop until somebody listens, so that the end of input is not met before. */
	hold(): void;
}

/**
 * The same link, whose `initialize` is answered while nobody listens yet: the daemon behind it is still being put
 * together. Whoever listens later gets every message, that one too, and its answer to it goes nowhere.
 */
export function createEarlyLink(link: CodexLink, { codexHome, protocol, hold }: EarlyPlace): CodexLink {
	const waiting: string[] = [];
	let listener: ((text: string) => void) | undefined;
	let owed = false;

	function answerEarly(text: string): void {
		const message = readMessage(text);
		if (message?.kind !== "request" || message.method !== "initialize") return;
		try {
			const greet = createGreeter({ paths: { codexHome }, identity: { protocol, ours: "" } });
			link.send(JSON.stringify({ id: message.id, result: greet(message.params).answer }));
			owed = true;
		} catch {
			// Words that are refused: the facade refuses them, as it does later ones.
		}
	}

	link.onMessage((text) => {
		if (listener !== undefined) {
			listener(text);
			return;
		}
		// Only the first message can be the greeting.
		if (waiting.length === 0) {
			answerEarly(text);
			hold();
		}
		waiting.push(text);
	});

	return {
		...link,
		send(text) {
			// Before a client was greeted nothing is said to it, so the first words answer its greeting.
			if (owed) owed = false;
			else link.send(text);
		},
		onMessage(next) {
			listener = next;
			for (const text of waiting.splice(0)) next(text);
			return {
				[Symbol.dispose]() {
					if (listener === next) listener = undefined;
				},
			};
		},
	};
}
