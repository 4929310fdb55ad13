import { createConnection } from "node:net";
import { WebSocket } from "ws";
import { createDeferred } from "#base/deferred.ts";
import { ERROR_TABLE } from "#base/error-table.ts";
import { CLOSE_CODE, LIMITS } from "#protocol/limits.ts";
import { METHODS } from "#protocol/service/index.ts";
import { junkValue, pick, type Random } from "./random.ts";

const FOREIGN = [
	"no.such",
	"",
	"__proto__",
	"constructor",
	"toString",
	"x".repeat(99),
	"x".repeat(200),
	"chat..list",
];

/** Frames that each deserve a coded error, whatever the connection did before. */
export const SHOTS: readonly ((random: Random, id: number) => string | Uint8Array)[] = [
	(random) =>
		pick(random, ["", "{", "null", "[]", "1", '"hello"', "{}}", "\u0000", '{"type":"request"', "NaN"]),
	(random) => JSON.stringify({ type: pick(random, ["hello", "respons", "event", "", "ping"]), topic: "a" }),
	(random) => JSON.stringify({ type: junkValue(random) }),
	(random, id) =>
		JSON.stringify({ type: "request", id, method: pick(random, FOREIGN), params: junkValue(random) }),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id,
			method: pick(random, METHODS).name,
			params: { no_such_member: junkValue(random) },
		}),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id,
			method: pick(random, METHODS).name,
			params: pick(random, [1, "a", [], false]),
		}),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id: pick<unknown>(random, [id, null, {}, [], 1.5, "", "x".repeat(101)]),
			method: junkValue(random),
			extra: 1,
		}),
	(random, id) =>
		JSON.stringify({
			type: "request",
			id,
			method: "chat.list",
			idempotency_key: pick<unknown>(random, ["", 1, null, "k".repeat(201)]),
		}),
	(_random, id) =>
		`{"type":"request","id":${id},"method":"chat.list","params":${"[".repeat(LIMITS.depth + 2)}${"]".repeat(LIMITS.depth + 2)}}`,
	(_random, id) =>
		JSON.stringify({ type: "request", id, method: "events.subscribe", params: { topics: [`no.${id}`] } }),
	(random) => Uint8Array.from({ length: random(40) }, () => random(256)),
	(random) => Uint8Array.from([1, random(7), 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, random(256), 1, 2, 3]),
];

export const HELLO = JSON.stringify({
	type: "hello",
	protocol: { min: 1, max: 1 },
	client: { name: "fuzz", version: "0", kind: "test" },
});

interface Arrival {
	message?: Record<string, unknown>;
	closed?: number;
}

export interface Peer {
	send(data: string | Uint8Array): void;
	/** The next message, or the close. */
	next(): Promise<Arrival>;
	end(): void;
}

/** Where a gateway is: its Unix socket, or its port and token. */
export type Place = { socketPath: string } | { port: number; token: string };

function openSocket(place: Place): WebSocket {
	if ("socketPath" in place)
		return new WebSocket("ws://localhost/ws", {
			createConnection: () => createConnection(place.socketPath),
			perMessageDeflate: false,
		});
	const headers = { authorization: `Bearer ${place.token}` };
	return new WebSocket(`ws://127.0.0.1:${place.port}/ws`, { headers, perMessageDeflate: false });
}

/** A `/ws` connection before its hello. */
export function dial(place: Place): Promise<Peer> {
	const socket = openSocket(place);
	const queue: Arrival[] = [];
	let waiter = createDeferred<undefined>();
	function add(entry: Arrival): void {
		queue.push(entry);
		waiter.resolve(undefined);
	}
	socket.on("message", (data) => add({ message: JSON.parse(String(data)) as Record<string, unknown> }));
	socket.on("close", (code) => add({ closed: code }));
	const opened = createDeferred<Peer>();
	socket.on("error", (error) => opened.reject(error));
	socket.on("open", () =>
		opened.resolve({
			send: (data) => socket.send(data),
			async next() {
				for (;;) {
					const entry = queue.shift();
					if (entry) return entry;
					waiter = createDeferred();
					await waiter.promise;
				}
			},
			end: () => socket.terminate(),
		}),
	);
	return opened.promise;
}

/** Dials and says hello. */
export async function greet(place: Place): Promise<Peer> {
	const peer = await dial(place);
	peer.send(HELLO);
	const { message } = await peer.next();
	if (message?.["type"] !== "hello") throw new Error(`no hello but ${JSON.stringify(message)}`);
	return peer;
}

/** The code of an error or a reject; for anything else a text that is none. */
export function codeOf(message: Record<string, unknown> | undefined): string {
	const error = message?.["error"];
	if (message?.["type"] === "reject") return String(message["code"]);
	return typeof error === "object" && error !== null && "name" in error
		? String(error.name)
		: `no error in ${JSON.stringify(message)?.slice(0, 200)}`;
}

/** @throws Error unless the answer to `shot` is an error of the table, and not INTERNAL. */
export function assertCoded(message: Record<string, unknown> | undefined, shot: string | Uint8Array): string {
	const code = codeOf(message);
	if (!Object.hasOwn(ERROR_TABLE, code) || code === "INTERNAL")
		throw new Error(`${code} for ${String(shot).slice(0, 300)}`);
	return code;
}

/**
 * Sends `rounds` broken frames, one after the other, and waits for the answer to each; a client that the gateway closes
 * for them comes back. @throws Error at the first answer without a code.
 */
export async function fuzzGateway(place: Place, random: Random, rounds: number): Promise<{ closes: number }> {
	let peer = await greet(place);
	let closes = 0;
	for (let round = 1; round <= rounds; round += 1) {
		const shot = pick(random, SHOTS)(random, round);
		peer.send(shot);
		const { message, closed } = await peer.next();
		if (closed === undefined) {
			assertCoded(message, shot);
			continue;
		}
		if (closed !== CLOSE_CODE.policy)
			throw new Error(`closed with ${closed} for ${String(shot).slice(0, 300)}`);
		closes += 1;
		peer = await greet(place);
	}
	peer.end();
	return { closes };
}

/** Something other than a hello, or a hello that is none. */
function falseHello(random: Random, round: number): string | Uint8Array {
	switch (random(4)) {
		case 0:
			return JSON.stringify({ type: "hello", protocol: junkValue(random), client: junkValue(random) });
		case 1:
			return JSON.stringify({ ...JSON.parse(HELLO), protocol: { min: 7, max: 9 } });
		case 2:
			return `{"type":"hello","x":"${"y".repeat(LIMITS.first_frame_bytes)}"}`;
		default:
			return pick(random, SHOTS)(random, round);
	}
}

/** Opens `rounds` connections that begin wrongly. @throws Error unless each gets a coded reject and 4001. */
export async function fuzzHello(place: Place, random: Random, rounds: number): Promise<void> {
	for (let round = 1; round <= rounds; round += 1) {
		const peer = await dial(place);
		const shot = falseHello(random, round);
		peer.send(shot);
		const { message } = await peer.next();
		if (message?.["type"] !== "reject") throw new Error(`no reject for ${String(shot).slice(0, 300)}`);
		assertCoded(message, shot);
		const { closed } = await peer.next();
		if (closed !== CLOSE_CODE.rejected) throw new Error(`closed with ${closed} instead of 4001`);
		peer.end();
	}
}
