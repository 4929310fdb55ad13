import { AppError } from "#base/app-error.ts";
import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import { resourceOfTopic } from "../policy/grant.ts";
import type { ConnectionContext } from "./connection-context.ts";
import type { Caller } from "./handler.ts";
import { parseTopic } from "./hub-topic.ts";
import type { Outlet } from "./outlet.ts";

/** Topics of one client, whichever codec it speaks: grants and the bound are checked here. */
export interface TopicSet {
	/** @throws AppError TOPIC_NOT_FOUND, PERMISSION_DENIED, PROTOCOL_LIMIT, or the snapshot's own. */
	subscribe(topic: string): Promise<void>;
	unsubscribe(topic: string): void;
	/** Forgets when grants end; the hub is told by who owns the connection. */
	end(): void;
}

/** Timers of the system overflow at 2^31 ms and fire at once; a grant that lasts longer is looked at again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Needed = Pick<ConnectionContext, "hub" | "gate" | "clock">;

export function createTopicSet({ hub, gate, clock }: Needed, outlet: Outlet, caller: Caller): TopicSet {
	const topics = new Map<string, Disposable | undefined>();

	function check(topic: string): number | null {
		const { descriptor, parameter } = parseTopic(topic);
		const asked = resourceOfTopic("parameter" in descriptor ? descriptor.parameter : undefined, parameter);
		const what = `Topic ${descriptor.name}`;
		return gate.pass(caller, { scope: descriptor.scope, asked, what }).expires_at_ms;
	}

	/** A stream must not outlive the grant it was opened with: its client is closed, and learns at its return what is left. */
	function watchEnd(topic: string, expiresAtMs: number | null): Disposable | undefined {
		if (expiresAtMs === null) return undefined;
		return clock.after(Math.min(expiresAtMs - clock.nowMs(), LONGEST_TIMER_MS), () => {
			try {
				topics.set(topic, watchEnd(topic, check(topic)));
			} catch {
				outlet.close(CLOSE_CODE.policy, "a grant has ended");
			}
		});
	}

	function forget(topic: string): void {
		topics.get(topic)?.[Symbol.dispose]();
		topics.delete(topic);
	}

	return {
		async subscribe(topic) {
			const expiresAtMs = check(topic);
			if (!topics.has(topic) && topics.size >= LIMITS.subscriptions) {
				throw new AppError("PROTOCOL_LIMIT", `A connection follows at most ${LIMITS.subscriptions} topics.`);
			}
			forget(topic);
			topics.set(topic, watchEnd(topic, expiresAtMs));
			try {
				await hub.subscribe(outlet, topic);
			} catch (error) {
				forget(topic);
				throw error;
			}
		},
		unsubscribe(topic) {
			forget(topic);
			hub.unsubscribe(outlet, topic);
		},
		end() {
			for (const topic of [...topics.keys()]) forget(topic);
		},
	};
}
