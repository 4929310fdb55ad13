import { createDeferred } from "#base/deferred.ts";
import type { TopicPosition } from "#client/client.ts";
import { defineCommand } from "../descriptor.ts";
import { parseWhole } from "./option-value.ts";

export const subscribeCommand = defineCommand({
	program: "weave-codex",
	name: "subscribe",
	summary: "Print the snapshot of topics and everything that follows, one JSON object per line.",
	description:
		"Each line has type (snapshot or event), topic, epoch, seq and payload. A snapshot replaces what was known of its topic; it comes first, after a reconnection, and after a gap.",
	arguments: [
		{
			name: "topic",
			summary: "topics, such as chats.state or chats.activity:THREAD",
			required: true,
			variadic: true,
			complete: "topic",
		},
	],
	options: [{ flags: "--count <n>", summary: "end after this many lines" }],
	examples: [
		{
			command: "weave-codex subscribe chats.state approvals.state",
			says: "follow all threads and approvals",
		},
		{ command: "weave-codex subscribe daemon.state --count 1", says: "the present state, once" },
	],
	json: true,
	async run(context, { args, options }) {
		const countMax = parseWhole(options["count"], "--count", {}) ?? Number.POSITIVE_INFINITY;
		const client = await context.connect();
		const done = createDeferred<undefined>();
		let count = 0;
		function print(type: string, topic: string, payload: unknown, at: TopicPosition): void {
			if (count >= countMax) return;
			count += 1;
			context.stdout.write(`${JSON.stringify({ type, topic, ...at, payload })}\n`);
			if (count === countMax) done.resolve(undefined);
		}
		using subscriptions = new DisposableStack();
		for (const topic of new Set(args)) {
			subscriptions.use(
				client.subscribe(topic, {
					onSnapshot: (payload, at) => print("snapshot", topic, payload, at),
					onEvent: (payload, at) => print("event", topic, payload, at),
					onError: (error) => done.reject(error),
				}),
			);
		}
		function onAbort(): void {
			done.reject(context.signal.reason);
		}
		if (context.signal.aborted) onAbort();
		context.signal.addEventListener("abort", onAbort, { once: true });
		try {
			await done.promise;
		} finally {
			context.signal.removeEventListener("abort", onAbort);
		}
		return 0;
	},
});
