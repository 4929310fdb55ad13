import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import type { CodexLink } from "./link.ts";
import { type CodexConnection, CodexError, INTERNAL_ERROR } from "./method.ts";
import type { JsonObject } from "./wire/decode.ts";
import { type RequestId, readMessage } from "./wire/message.ts";

/** How a client answered a request of ours; `gone` when it went away first. */
export type ClientAnswer =
	| { kind: "result"; result: unknown }
	| { kind: "error"; message: string }
	| { kind: "gone" };

interface Greeting {
	readonly name: string;
	readonly title: string | null;
	readonly version: string;
	readonly experimentalApi: boolean;
	readonly optOut: ReadonlySet<string>;
}

/** One client of the protocol, as the rest of the facade sees it. */
export interface Peer extends Omit<CodexConnection, "afterResponse"> {
	readonly isInitialized: boolean;
	readonly isOpen: boolean;
	/** @throws CodexError when it was greeted before. */
	greet(greeting: Greeting): void;
	/** Sends a request; its id. `answered` is called once, never from inside this call. */
	ask(method: string, params: JsonObject, answered: (answer: ClientAnswer) => void): RequestId;
	/** What concerns the thread waits until the answer to the request being handled has gone out. */
	holdThread(threadId: string): Disposable;
	/** A notification about a thread; waits where `holdThread` says so. */
	tell(method: string, params: JsonObject, threadId: string | null): void;
	/** Runs now, or after what waits for the thread. */
	inOrder(threadId: string, action: () => void): void;
}

/** Serves one request; resolves with its result. */
export type Serve = (
	request: { method: string; params: unknown },
	peer: Peer,
	afterResponse: (action: () => void) => void,
) => Promise<unknown>;

interface PeerPorts {
	link: CodexLink;
	connectionId: string;
	clock: Clock;
	logger: Logger;
	serve: Serve;
	broadcast(method: string, params: unknown): void;
}

/** Text and code that a client sees of whatever a handler threw; only our own refusals show their words. */
function refusalOf(
	thrown: unknown,
	logger: Logger,
	method: string,
): { code: number; message: string; data?: unknown } {
	if (thrown instanceof CodexError) {
		const { code, message, data } = thrown;
		return data === undefined ? { code, message } : { code, message, data };
	}
	if (thrown instanceof AppError && thrown.code !== "INTERNAL") {
		return { code: -32600, message: thrown.message };
	}
	logger.error("a request of a codex client failed", { method, error: String(thrown) });
	return { code: INTERNAL_ERROR, message: "internal error" };
}

/** Threads whose news wait, each with how many requests hold it and what waits. */
function createHolds() {
	const holds = new Map<string, { count: number; waiting: (() => void)[] }>();
	return {
		run(threadId: string | null, action: () => void): void {
			const hold = threadId === null ? undefined : holds.get(threadId);
			if (hold === undefined) action();
			else hold.waiting.push(action);
		},
		hold(threadId: string): Disposable {
			const hold = holds.get(threadId) ?? { count: 0, waiting: [] };
			holds.set(threadId, hold);
			hold.count += 1;
			let held = true;
			return {
				[Symbol.dispose]() {
					if (!held) return;
					held = false;
					hold.count -= 1;
					if (hold.count > 0) return;
					holds.delete(threadId);
					for (const action of hold.waiting) action();
				},
			};
		},
	};
}

/** Requests of ours that wait for the client's answer, by id. */
function createQuestions() {
	const asked = new Map<RequestId, (answer: ClientAnswer) => void>();
	let nextId = 0;
	return {
		add(answered: (answer: ClientAnswer) => void): RequestId {
			const id = nextId;
			nextId += 1;
			asked.set(id, answered);
			return id;
		},
		settle(id: RequestId, how: ClientAnswer): void {
			const answered = asked.get(id);
			asked.delete(id);
			answered?.(how);
		},
		ids: (): RequestId[] => [...asked.keys()],
	};
}

/** Speaks the wire on one link: framing, ids, what was opted out of, order of answers and news. */
export function createPeer(ports: PeerPorts): Peer & { close(): void } {
	const { link, clock, logger, serve } = ports;
	const holds = createHolds();
	const questions = createQuestions();
	const onClosed = new Set<() => void>();
	let greeting: Greeting | undefined;
	let open = true;

	function send(message: unknown): void {
		if (open) link.send(JSON.stringify(message));
	}

	function notify(method: string, params: unknown): void {
		if (greeting === undefined || greeting.optOut.has(method)) return;
		send({ method, params, emittedAtMs: clock.nowMs() });
	}

	async function answer(id: RequestId, method: string, params: unknown): Promise<void> {
		const after: (() => void)[] = [];
		try {
			const result = await serve({ method, params }, peer, (action) => after.push(action));
			send({ id, result: result ?? {} });
		} catch (thrown) {
			send({ error: refusalOf(thrown, logger, method), id });
		}
		for (const action of after) action();
	}

	function receive(text: string): void {
		const message = readMessage(text);
		if (message === undefined) {
			logger.warn("a codex client sent what is no message", { client: link.label });
			return;
		}
		if (message.kind === "request") void answer(message.id, message.method, message.params);
		else if (message.kind === "response")
			questions.settle(message.id, { kind: "result", result: message.result });
		else if (message.kind === "error")
			questions.settle(message.id, { kind: "error", message: message.message });
	}

	function ask(method: string, params: JsonObject, answered: (answer: ClientAnswer) => void): RequestId {
		const id = questions.add(answered);
		send({ method, id, params });
		return id;
	}

	function close(): void {
		if (!open) return;
		open = false;
		subscription[Symbol.dispose]();
		for (const id of questions.ids()) questions.settle(id, { kind: "gone" });
		for (const listener of [...onClosed]) listener();
		onClosed.clear();
	}

	const peer: Peer & { close(): void } = {
		connectionId: ports.connectionId,
		label: link.label,
		get client() {
			return greeting ?? { name: "unknown", title: null, version: "" };
		},
		get experimentalApi() {
			return greeting?.experimentalApi ?? false;
		},
		get isInitialized() {
			return greeting !== undefined;
		},
		get isOpen() {
			return open;
		},
		greet(said) {
			if (greeting !== undefined) throw new CodexError("Already initialized");
			greeting = said;
		},
		notify,
		broadcast: ports.broadcast,
		request(method, params) {
			const answered = createDeferred<unknown>();
			ask(method, params as JsonObject, (how) => {
				if (how.kind === "result") answered.resolve(how.result);
				else answered.reject(new CodexError(how.kind === "gone" ? "the client went away" : how.message));
			});
			return answered.promise;
		},
		ask,
		holdThread: holds.hold,
		tell(method, params, threadId) {
			holds.run(threadId, () => notify(method, params));
		},
		inOrder: holds.run,
		onClose(listener) {
			if (!open) listener();
			else onClosed.add(listener);
			return { [Symbol.dispose]: () => void onClosed.delete(listener) };
		},
		close,
	};
	const subscription = link.onMessage(receive);
	link.onClose(close);
	return peer;
}
