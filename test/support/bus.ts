import { type Clock, systemClock } from "#base/clock.ts";
import { createEmitter } from "#base/emitter.ts";
import { newId } from "#base/id.ts";
import { createBus } from "#daemon/bus/create-bus.ts";
import type { Bus, ThreadDelivery, ThreadPort, TurnEnd } from "#daemon/bus/port.ts";
import type { Publish } from "#daemon/gateway/hub.ts";
import { createThreadWrite } from "#daemon/storage/repository/chat-thread.ts";
import { findMessage } from "#daemon/storage/repository/weave-message.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { Telemetry } from "#daemon/telemetry/port.ts";
import type { TurnStatus } from "#protocol/record.ts";
import { createMemoryLogger } from "./logger.ts";
import { openTestStore } from "./store.ts";

export const quietTelemetry: Telemetry = {
	count: () => undefined,
	observe: () => undefined,
	gauge: () => ({ [Symbol.dispose]: () => undefined }),
	trace: () => undefined,
};

/** Threads that take mail and end turns when the test says so. */
export interface ScriptedThreads extends ThreadPort {
	readonly delivered: ThreadDelivery[];
	/** Called at each delivery; throw to refuse. */
	onDeliver: (delivery: ThreadDelivery) => void | Promise<void>;
	endTurn(end: Partial<TurnEnd> & { message_ids: readonly string[]; status?: TurnStatus }): void;
}

export function createScriptedThreads(): ScriptedThreads {
	const ends = createEmitter<TurnEnd>();
	const delivered: ThreadDelivery[] = [];
	return {
		delivered,
		onDeliver: () => undefined,
		async deliver(delivery) {
			await this.onDeliver(delivery);
			delivered.push(delivery);
			return { turn_id: `turn-${delivery.message_id}` };
		},
		onTurnEnded: (listener) => ends.on(listener),
		endTurn: (end) =>
			ends.emit({ thread_id: "t", turn_id: "turn", status: "completed", final_text: null, ...end }),
	};
}

interface Published {
	name: string;
	event: unknown;
	parameter: string | undefined;
}

export interface TestBus extends AsyncDisposable {
	readonly bus: Bus;
	readonly store: Store;
	readonly threads: ScriptedThreads;
	readonly published: Published[];
	/** Resolves when `check` holds; looked at after every commit. */
	until(check: () => boolean): Promise<void>;
	/** Resolves when the message is in that state. */
	reaches(messageId: string, state: string): Promise<void>;
	/** Makes a thread with an agent of that name; returns the thread's id. */
	addThread(name: string): Promise<string>;
}

/** A real bus on a real store; with `path` on a database that outlives it. */
export async function openTestBus(
	options: {
		path?: string;
		clock?: Clock;
		threads?: ScriptedThreads;
		start?: boolean;
		publish?: Publish;
	} = {},
): Promise<TestBus> {
	const store = await openTestStore(options.path === undefined ? {} : { path: options.path });
	const threads = options.threads ?? createScriptedThreads();
	const published: Published[] = [];
	const logger = createMemoryLogger();
	const bus = createBus({
		store,
		clock: options.clock ?? systemClock,
		newId,
		publish(name, event, to) {
			published.push({ name, event, parameter: to?.parameter });
			options.publish?.(name, event, to);
		},
		threads,
		telemetry: quietTelemetry,
		logger,
		fault: () => undefined,
	});
	if (options.start !== false) await bus.start();

	function until(check: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			if (check()) {
				resolve();
				return;
			}
			const watch = store.onCommitted(() => {
				if (!check()) return;
				watch[Symbol.dispose]();
				resolve();
			});
		});
	}

	return {
		bus,
		store,
		threads,
		published,
		until,
		reaches: (messageId, state) => until(() => findMessage(store, messageId)?.state === state),
		async addThread(name) {
			const { thread } = await store.write(createThreadWrite, {
				thread_id: newId(),
				agent_name: name,
				title: null,
				provider: "offline",
				model: null,
				cwd: "/",
				machine_id: "local",
				approval_policy: "never",
				sandbox: "read-only",
				env: {},
				codex_home: null,
				controller: { client: "test", device: "test" },
			});
			return thread.thread_id;
		},
		async [Symbol.asyncDispose]() {
			await bus[Symbol.asyncDispose]();
			await store[Symbol.asyncDispose]();
		},
	};
}
