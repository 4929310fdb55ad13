import { AppError } from "#base/app-error.ts";
import type { RunTurn, TurnOutcome } from "#daemon/agent/loop-port.ts";
import type { CodexNotification, CodexProcess, CodexRequestHandler } from "./codex-process.ts";
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

/** Turns by the program, and what it asks meanwhile. */
export interface CliTurns {
	readonly runTurn: RunTurn;
	/** For the server's `onRequest`. */
	readonly onRequest: CodexRequestHandler;
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

	return { runningOf, enter };
}

export function createCliTurns(server: () => CodexServer, threads: ProviderThreadBook): CliTurns {
	const { runningOf, enter } = createTurnIndex();

	/** Takes what the program says, in its order, until nothing of the turn is open. */
	function listen(source: CodexServer, running: Running): Disposable {
		let line: Promise<unknown> = Promise.resolve();
		return source.onNotification((notification) => {
			if (runningOf(notification.params) !== running) return;
			line = line
				.then(() => takeNotification(running, notification))
				.catch((error: unknown) => finish(running, { status: "failed", error: failure(error) }));
		});
	}

	async function carry(source: CodexServer, process: CodexProcess, running: Running): Promise<TurnOutcome> {
		const stack = new DisposableStack();
		const { ports, context } = running;
		stack.use(enter(running));
		stack.use(listen(source, running));
		void process.exited.then((why) => {
			finish(running, { status: "failed", error: failure(new AppError("PROVIDER_UNAVAILABLE", why)) });
			running.settled.resolve();
		});
		void running.settled.promise.then(() => stack.dispose());
		ports.hold?.(running.settled.promise);
		running.turnId = await startTurn(process, running);
		stack.use(
			ports.onSteer(() => {
				for (const message of ports.takeSteer())
					steer(process, running, message).catch((error: unknown) =>
						ports.emit({ type: "error", error: failure(error), willRetry: false }),
					);
			}),
		);
		function interrupt(): void {
			process
				.request("turn/interrupt", { threadId: running.providerThreadId, turnId: running.turnId })
				.catch(() => undefined);
			finish(running, { status: "interrupted", reason: String(context.signal.reason) });
		}
		context.signal.addEventListener("abort", interrupt, { once: true });
		if (context.signal.aborted) interrupt();
		try {
			return await running.outcome.promise;
		} finally {
			context.signal.removeEventListener("abort", interrupt);
		}
	}

	const runTurn: RunTurn = async (input, ports, signal) => {
		const context = ports.toolContext("");
		try {
			const source = server();
			const ready = await source.ready(signal);
			const providerThreadId = await threads.open(ready, input, context);
			const running = createRunningTurn(input, ports, { context, providerThreadId });
			const outcome = await carry(source, ready.process, running);
			if (outcome.status === "failed" && !running.isErrorTold)
				await ports.emit({ type: "error", error: outcome.error, willRetry: false });
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
		async onRequest(request) {
			const running = runningOf(request.params);
			if (running === undefined) throw new Error(`no turn waits for ${request.method}`);
			const itemId = String(request.params["itemId"] ?? request.params["callId"] ?? "");
			return answerServerRequest(request, running.ports.toolContext(itemId), running.items.get(itemId));
		},
	};
}
