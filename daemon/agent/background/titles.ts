import type { Thread, Turn } from "#protocol/record.ts";
import type { BackgroundRunner } from "./background-runner.ts";
import { writeTitle } from "./tasks.ts";

/** What naming threads needs of the runner. */
export interface TitlePort {
	onTurnEnded(listener: (ended: { thread_id: string; status: string }) => void): Disposable;
	/** The thread with its first turns; throws when it is gone. */
	read(threadId: string): { thread: Thread; turns: readonly Turn[] };
	setTitle(threadId: string, title: string): Promise<void>;
}

function textOf(turn: Turn, type: "userMessage" | "agentMessage"): string {
	const texts = turn.items.flatMap((item) => {
		if (item.type === "userMessage" && type === "userMessage")
			return item.content.map((part) => part.text ?? "");
		return item.type === "agentMessage" && type === "agentMessage" ? [item.text] : [];
	});
	return texts.join("\n").trim();
}

function needsTitle({ thread, turns }: ReturnType<TitlePort["read"]>): boolean {
	return (
		thread.named !== true &&
		!thread.archived &&
		thread.settings?.ephemeral !== true &&
		turns.filter((turn) => turn.status === "completed").length === 1
	);
}

/**
 * Names each thread once, after its first completed turn, where `enabled` and nobody has named it. Failures leave it as it
 * is. Disposing ends the listening.
 */
export function createTitles(options: {
	port: TitlePort;
	background: BackgroundRunner;
	/** Asked each time. */
	enabled: () => boolean;
}): Disposable {
	const { port, background } = options;

	async function name(threadId: string): Promise<void> {
		const known = port.read(threadId);
		const first = known.turns.find((turn) => turn.status === "completed");
		if (first === undefined || !needsTitle(known)) return;
		const { provider, cwd } = known.thread;
		const question = textOf(first, "userMessage");
		const title = await writeTitle(background, {
			question,
			answer: textOf(first, "agentMessage"),
			provider,
			cwd,
		});
		// Somebody may have named it, or taken it away, meanwhile.
		if (title !== null && port.read(threadId).thread.named !== true) await port.setTitle(threadId, title);
	}
	return port.onTurnEnded((ended) => {
		if (ended.status !== "completed") return;
		// A title is never worth an error.
		void (async () => (options.enabled() ? name(ended.thread_id) : undefined))().catch(() => undefined);
	});
}
