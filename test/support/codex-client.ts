import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { CodexFacade } from "#daemon/codex/facade.ts";

/** A message of the Codex protocol, as loose as the wire. */
export type CodexMessage = { id?: unknown; method?: string; params?: Record<string, unknown> } & Record<
	string,
	unknown
>;

/** Answers a request of the server; undefined: nobody answers it. */
export type AnswerRequest = (message: CodexMessage) => unknown;

/** A client of the Codex app-server protocol that keeps all that it is told, in order. */
export interface CodexClient extends Disposable {
	/** Notifications and requests of the server. */
	readonly inbox: readonly CodexMessage[];
	/** @throws Error with the server's error as its message, or when the connection ends first. */
	request<T = Record<string, unknown>>(method: string, params: unknown): Promise<T>;
	/** Resolves with the first message that fits, also of those that came before; rejects when the connection ends. */
	seen(what: string, test: (message: CodexMessage) => boolean): Promise<CodexMessage>;
	respond(id: unknown, result: unknown): void;
	readonly isClosed: boolean;
}

interface Wire {
	send(text: string): void;
	close(): void;
}

interface Parts {
	client: CodexClient;
	receive(text: string): void;
	closed(): void;
}

/** Longest that anything is waited for: a bound for a hang, not for timing. */
const HANG_MS = 50_000;

function withBound<T>(work: Promise<T>, what: string): Promise<T> {
	const late = Promise.withResolvers<T>();
	const timer = setTimeout(() => late.reject(new Error(`gave up waiting for ${what}`)), HANG_MS);
	return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

function build(wire: Wire, answer: AnswerRequest): Parts {
	const inbox: CodexMessage[] = [];
	const pending = new Map<unknown, PromiseWithResolvers<never>>();
	const watchers = new Set<{ look(message: CodexMessage): void; reject(error: Error): void }>();
	let nextId = 0;
	let isClosed = false;
	const gone = (): Error => new Error("the connection has ended");

	function takeAnswer(message: CodexMessage): void {
		const waiting = pending.get(message.id);
		pending.delete(message.id);
		if (message["error"] === undefined) waiting?.resolve(message["result"] as never);
		else waiting?.reject(new Error(JSON.stringify(message["error"])));
	}

	const client: CodexClient = {
		inbox,
		get isClosed() {
			return isClosed;
		},
		request<T>(method: string, params: unknown): Promise<T> {
			if (isClosed) return Promise.reject(gone());
			nextId += 1;
			const waiting = Promise.withResolvers<never>();
			pending.set(nextId, waiting);
			wire.send(JSON.stringify({ id: nextId, method, params }));
			return withBound<T>(waiting.promise, `the answer to ${method}`);
		},
		seen(what, test) {
			const found = Promise.withResolvers<CodexMessage>();
			const watcher = {
				reject: found.reject,
				look(message: CodexMessage): void {
					if (!test(message)) return;
					watchers.delete(watcher);
					found.resolve(message);
				},
			};
			const earlier = inbox.find(test);
			if (earlier === undefined) watchers.add(watcher);
			else found.resolve(earlier);
			if (isClosed) found.reject(gone());
			return withBound(found.promise, what);
		},
		respond: (id, result) => wire.send(JSON.stringify({ id, result })),
		[Symbol.dispose]: wire.close,
	};
	return {
		client,
		receive(text) {
			const message = JSON.parse(text) as CodexMessage;
			if (message.method === undefined) return takeAnswer(message);
			inbox.push(message);
			const result = message.id === undefined ? undefined : answer(message);
			if (result !== undefined) client.respond(message.id, result);
			for (const watcher of [...watchers]) watcher.look(message);
		},
		closed() {
			if (isClosed) return;
			isClosed = true;
			for (const waiting of pending.values()) waiting.reject(gone());
			for (const watcher of watchers) watcher.reject(gone());
		},
	};
}

async function greet({ client }: Parts): Promise<CodexClient> {
	await client.request("initialize", {
		clientInfo: { name: "faults", title: null, version: "0" },
		capabilities: { experimentalApi: true },
	});
	return client;
}

const nobody: AnswerRequest = () => undefined;

/** Over `codex.sock`, as JSON lines. */
export async function connectCodexSocket(path: string, answer: AnswerRequest = nobody): Promise<CodexClient> {
	const socket = connect(path);
	await new Promise<void>((resolve, reject) => {
		socket.once("error", reject);
		socket.once("connect", resolve);
	});
	const parts = build(
		{ send: (text) => void socket.write(`${text}\n`), close: () => void socket.destroy() },
		answer,
	);
	const lines = createInterface({ input: socket });
	lines.on("line", parts.receive);
	lines.on("error", () => undefined);
	socket.on("error", () => undefined);
	socket.on("close", parts.closed);
	return greet(parts);
}

/** Inside this process. */
export async function connectFacade(
	facade: CodexFacade,
	answer: AnswerRequest = nobody,
): Promise<CodexClient> {
	let toServer = (_text: string): void => undefined;
	let onClose = (): void => undefined;
	const close = (): void => {
		onClose();
		parts.closed();
	};
	// Turned over to the queue, as a wire would.
	const parts = build({ send: (text) => queueMicrotask(() => toServer(text)), close }, answer);
	facade.connect({
		label: "in process",
		kind: "stdio",
		send: (text) => queueMicrotask(() => parts.receive(text)),
		onMessage(listener) {
			toServer = listener;
			return { [Symbol.dispose]: () => undefined };
		},
		onClose(listener) {
			onClose = listener;
			return { [Symbol.dispose]: () => undefined };
		},
		close,
	});
	return greet(parts);
}
