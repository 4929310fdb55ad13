import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** An envelope as the original client sees it: five members are always there, the rest when it has something to say. */
export interface Wire {
	v: number;
	type: string;
	id: string;
	ts: string;
	src: string;
	[member: string]: unknown;
}

type Draft = { type: string; src: string } & Record<string, unknown>;

function isWire(value: unknown): value is Wire {
	if (typeof value !== "object" || value === null) return false;
	const it = value as Record<string, unknown>;
	return (
		typeof it["v"] === "number" && ["type", "id", "ts", "src"].every((name) => typeof it[name] === "string")
	);
}

function fill(draft: Draft): Wire {
	return { v: 1, id: randomUUID(), ts: new Date().toISOString(), ...draft };
}

/** The text the original client shows for a failed answer, or undefined for success. */
export function failureOf(answer: Wire): string | undefined {
	if (answer["status"] !== "error") return undefined;
	const error = (answer["error"] ?? {}) as { code?: string; message?: string };
	const parts = [error.code, error.message].filter((part) => part !== undefined && part.trim() !== "");
	return parts.length === 0 ? "request failed" : parts.join(": ");
}

function open(path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once("error", reject);
		socket.once("connect", () => {
			socket.off("error", reject);
			socket.on("error", () => undefined);
			resolve(socket);
		});
	});
}

/** Lines until the other side ends or this side breaks off; readline by itself does not notice the latter. */
function linesOf(socket: Socket): AsyncIterable<string> {
	const lines = createInterface({ input: socket });
	socket.once("close", () => lines.close());
	return lines;
}

/** Opens, writes one line, reads until the answer to it comes, closes. A malformed line or an early end is an error. */
export async function requestOnce(path: string, draft: Draft): Promise<Wire> {
	const socket = await open(path);
	const request = fill(draft);
	try {
		socket.write(`${JSON.stringify(request)}\n`);
		for await (const line of linesOf(socket)) {
			const answer: unknown = JSON.parse(line);
			if (!isWire(answer)) throw new Error(`malformed line: ${line}`);
			if (answer["corr"] === request.id) return answer;
		}
	} finally {
		socket.destroy();
	}
	throw new Error("the connection ended before the answer");
}

export interface WeaveAgentClient extends AsyncDisposable {
	readonly id: string;
	request(draft: Omit<Draft, "src"> & { type: string; src?: string }): Promise<Wire>;
	/** Mail in order of arrival; acknowledged when its sender asked for that and it is addressed to this agent. */
	readonly inbox: Wire[];
	/** Resolves with the n-th mail (from 1). */
	mail(n: number): Promise<Wire>;
	/** Resolves when the other side ended the connection. */
	readonly ended: Promise<void>;
	send(text: string): void;
	/** The line breaks without a goodbye. */
	drop(): void;
}

interface JoinOptions {
	path: string;
	session: string;
	name?: string;
	id?: string;
	/** Wait for agent.add's answer; default true. */
	join?: boolean;
}

/** The long-lived connection of the original client: joins, listens, acknowledges after taking mail in. */
export async function joinAsAgent({
	path,
	session,
	name,
	id = randomUUID(),
	join = true,
}: JoinOptions): Promise<WeaveAgentClient> {
	const socket = await open(path);
	const pending = new Map<string, { resolve(answer: Wire): void; reject(error: Error): void }>();
	const inbox: Wire[] = [];
	const waiting = new Set<() => void>();
	let ownName = name ?? `codex-${id.split("-")[0]}`;

	function write(wire: Wire): void {
		socket.write(`${JSON.stringify(wire)}\n`);
	}

	function addressedToMe(wire: Wire): boolean {
		return (
			wire["dst"] === id ||
			wire["dst"] === ownName ||
			(wire["dst"] === undefined && wire["topic"] === `agent.${id}.inbox`)
		);
	}

	function take(wire: Wire): void {
		if (wire.src === id || wire["session"] === undefined || !addressedToMe(wire)) return;
		inbox.push(wire);
		for (const wake of [...waiting]) wake();
		const ack = wire["ack"] as { mode?: string } | undefined;
		if (wire.type === "message.send" && ack?.mode === "auto") {
			write(
				fill({
					type: "message.ack",
					src: id,
					session,
					corr: (wire["corr"] as string | undefined) ?? wire.id,
				}),
			);
		}
	}

	const ended = (async () => {
		for await (const line of linesOf(socket)) {
			let wire: unknown;
			try {
				wire = JSON.parse(line);
			} catch {
				continue;
			}
			if (!isWire(wire)) continue;
			const waiter = typeof wire["corr"] === "string" ? pending.get(wire["corr"]) : undefined;
			if (waiter === undefined) {
				take(wire);
				continue;
			}
			pending.delete(wire["corr"] as string);
			waiter.resolve(wire);
		}
		for (const waiter of pending.values()) waiter.reject(new Error("the connection ended"));
	})();

	function request(draft: { type: string; src?: string } & Record<string, unknown>): Promise<Wire> {
		const wire = fill({ src: id, session, ...draft });
		return new Promise((resolve, reject) => {
			pending.set(wire.id, { resolve, reject });
			write(wire);
		});
	}

	if (join) {
		const answer = await request({ type: "agent.add", payload: { id, name: ownName } });
		const failure = failureOf(answer);
		if (failure !== undefined) {
			socket.destroy();
			throw new Error(failure);
		}
		ownName = ((answer["payload"] ?? {}) as { name?: string }).name ?? ownName;
	}

	return {
		id,
		request,
		inbox,
		mail: (n) =>
			new Promise((resolve, reject) => {
				function look(): void {
					const wire = inbox[n - 1];
					if (wire === undefined) return;
					waiting.delete(look);
					resolve(wire);
				}
				waiting.add(look);
				void ended.then(() => reject(new Error("the connection ended")));
				look();
			}),
		ended,
		send: (text) => void socket.write(text),
		drop: () => socket.destroy(),
		async [Symbol.asyncDispose]() {
			if (!socket.destroyed && !socket.writableEnded) {
				await request({ type: "agent.remove", payload: { id } }).catch(() => undefined);
			}
			socket.destroy();
			await ended;
		},
	};
}
