import type { CodexConnection } from "#daemon/codex/method.ts";

/** A client's connection without a wire; what it was told is kept. */
export interface FakeConnection extends CodexConnection {
	readonly told: { method: string; params: unknown }[];
	/** Runs what waits for the answer. */
	answered(): void;
	close(): void;
}

/** @param answer what the client says to requests of the server. */
export function createFakeConnection(id = "one", answer: unknown = {}): FakeConnection {
	const told: { method: string; params: unknown }[] = [];
	const closing = new Set<() => void>();
	const after: (() => void)[] = [];
	return {
		connectionId: id,
		label: id,
		client: { name: "unit", title: null, version: "0" },
		experimentalApi: true,
		told,
		notify: (method, params) => void told.push({ method, params }),
		broadcast: (method, params) => void told.push({ method: `all ${method}`, params }),
		request(method, params) {
			told.push({ method: `asked ${method}`, params });
			return Promise.resolve(answer);
		},
		onClose(listener) {
			closing.add(listener);
			return { [Symbol.dispose]: () => void closing.delete(listener) };
		},
		afterResponse: (action) => void after.push(action),
		answered() {
			for (const action of after.splice(0)) action();
		},
		close() {
			for (const listener of [...closing]) listener();
		},
	};
}
