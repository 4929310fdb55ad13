import { AppError } from "#base/app-error.ts";
import { createDeferred } from "#base/deferred.ts";
import type { RunTurn, TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { CodexNotification, CodexRequestHandler } from "./codex-process.ts";
import type { CodexServer } from "./codex-server.ts";
import type { ProviderThreadBook } from "./provider-thread.ts";
import {
	createRunningTurn,
	failure,
	finish,
	type Running,
	takeNotification,
	turnIdOf,
} from "./running-turn.ts";
import { answerServerRequest } from "./server-request.ts";
import { startTurn, steer } from "./start-turn.ts";

/** A program that has not ended an interrupted turn by then hangs, and is ended itself; measured: 5 ms. */
const INTERRUPT_PATIENCE_MS = 10_000;

/** Turns by the program, and what it asks meanwhile. */
export interface CliTurns {
	readonly runTurn: RunTurn;
	/** For the server's `onRequest`. */
	readonly onRequest: CodexRequestHandler;
	/** Ends the commands that one of our turns left running. */
	killTurn(turnId: string): Promise<void>;
}

function createTurnIndex() {
	/** Turns in progress, and interrupted ones whose commands run on, by the program's thread id. */
	const byThread = new Map<string, Set<Running>>();

	/** Some notifications name no turn; they belong to the newest one of their thread. */
	function runningOf(params: CodexNotification["params"]): Running | undefined {
		const candidates = [...(byThread.get(String(params["threadId"] ?? params["conversationId"])) ?? [])];
		const turnId = params["turnId"] ?? turnIdOf(params);
		return candidates.findLast((running) => running.turnId === turnId) ?? candidates.at(-1);
	}

	function enter(running: Running): Disposable {
		const set = byThread.get(running.providerThreadId) ?? new Set<Running>();
		byThread.set(running.providerThreadId, set.add(running));
		return {
			[Symbol.dispose]() {
				set.delete(running);
				if (set.size === 0) byThread.delete(running.providerThreadId);
			},
		};
	}

	return {
		runningOf,
		enter,
		all: () => [...byThread.values()].flatMap((set) => [...set]),
	};
}

/** Resolves with the promise, rejects with the signal's reason, whichever comes first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	signal.throwIfAborted();
	const aborted = createDeferred<never>();
	const onAbort = (): void => aborted.reject(signal.reason);
	signal.addEventListener("abort", onAbort, { once: true });
	try {
		return await Promise.race([promise, aborted.promise]);
	} finally {
		signal.removeEventListener("abort", onAbort);
	}
}

/** Ends the turn at the program when ours is interrupted; what it says of that end is waited for. */
function followInterrupt(running: Running): Disposable {
	const { process, context } = running;
	const { signal } = context;
	let timer: Disposable | undefined;
	function interrupt(): void {
		process
			.request("turn/interrupt", { threadId: running.providerThreadId, turnId: running.turnId })
			.catch(() => undefined);
		timer = running.ports.clock.after(INTERRUPT_PATIENCE_MS, () => void process[Symbol.asyncDispose]());
	}
	signal.addEventListener("abort", interrupt, { once: true });
	if (signal.aborted) interrupt();
	return {
		[Symbol.dispose]() {
			timer?.[Symbol.dispose]();
			signal.removeEventListener("abort", interrupt);
		},
	};
}

/** Hands over what arrived meanwhile. One that the program refuses stays with the store, which gives it to the next turn. */
function followSteers(running: Running): Disposable {
	const { ports } = running;
	function hand(): void {
		for (const message of ports.takeSteer()) steer(running, message).catch(() => undefined);
	}
	const following = ports.onSteer(hand);
	hand();
	return following;
}

interface Background {
	itemId: string;
	processId: string;
}

async function endCommands({ process, providerThreadId: threadId, open }: Running): Promise<void> {
	const { data = [] } = (await process.request("thread/backgroundTerminals/list", { threadId })) as {
		data?: Background[];
	};
	const own = data.filter(({ itemId }) => open.has(itemId));
	await Promise.all(
		own.map(({ processId }) =>
			process.request("thread/backgroundTerminals/terminate", { threadId, processId }),
		),
	);
}

export function createCliTurns(server: () => CodexServer, threads: ProviderThreadBook): CliTurns {
	const { runningOf, enter, all } = createTurnIndex();

	/** Takes what the program says, in its order, until nothing of the turn is open or the program is gone. */
	function listen(source: CodexServer, running: Running): Disposable {
		void running.process.exited.then(async (why) => {
			await running.told;
			running.isLost = !running.isOver;
			finish(running, { status: "failed", error: failure(new AppError("PROVIDER_UNAVAILABLE", why)) });
			running.settled.resolve();
		});
		return source.onNotification((notification) => {
			if (runningOf(notification.params) !== running) return;
			running.told = running.told
				.then(() => takeNotification(running, notification))
				.catch((error: unknown) => finish(running, { status: "failed", error: failure(error) }));
		});
	}

	async function carry(source: CodexServer, running: Running): Promise<TurnOutcome> {
		const stack = new DisposableStack();
		stack.use(enter(running));
		stack.use(listen(source, running));
		void running.settled.promise.then(() => stack.dispose());
		running.ports.hold?.(running.settled.promise);
		try {
			running.turnId = await startTurn(running);
		} catch (error) {
			finish(running, { status: "failed", error: failure(error) });
			return await running.outcome.promise;
		}
		using _steers = followSteers(running);
		using _interrupt = followInterrupt(running);
		return await running.outcome.promise;
	}

	const runTurn: RunTurn = async (input, ports, signal) => {
		const context = ports.toolContext("");
		try {
			const source = server();
			const ready = await source.ready(signal);
			const { process } = ready;
			const { id: providerThreadId, usageBefore } = await threads.open(ready, input, {
				context,
				modelProvider: ports.provider.providerId,
			});
			// A message for a thread whose turn still runs would become a part of that turn.
			const before = runningOf({ threadId: providerThreadId });
			if (before !== undefined) await orAborted(before.outcome.promise, signal);
			const running = createRunningTurn(input, ports, { context, process, providerThreadId, usageBefore });
			const outcome = await carry(source, running);
			if (outcome.status === "failed" && !running.isErrorTold)
				await ports.emit({ type: "error", error: outcome.error, willRetry: false });
			// What a program that died has kept of the turn is anybody's guess; the next one is told anew.
			if (!running.isLost) threads.settle(input.threadId, running.history.known);
			return outcome;
		} catch (error) {
			if (signal.aborted) return { status: "interrupted", reason: String(signal.reason) };
			const failed = failure(error);
			await ports.emit({ type: "error", error: failed, willRetry: false });
			return { status: "failed", error: failed };
		}
	};

	return {
		runTurn,
		async killTurn(turnId) {
			const running = all().find(({ input }) => input.turnId === turnId);
			if (running === undefined) return;
			await endCommands(running);
		},
		async onRequest(request) {
			const running = runningOf(request.params);
			if (running === undefined) throw new Error(`no turn waits for ${request.method}`);
			await running.told;
			try {
				return await answerServerRequest(request, running);
			} catch (error) {
				// The interrupt that is on its way answers it; an answer of ours could start what was interrupted.
				if (running.context.signal.aborted) return undefined;
				throw error;
			}
		},
	};
}
