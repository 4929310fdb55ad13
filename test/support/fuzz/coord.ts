import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { junkValue, pick, type Random } from "./random.ts";

/** A line over the socket's bound of 1 MiB. */
const LONG_LINE = "x".repeat(1024 * 1024 + 10);
const CODE = /^[a-z][a-z0-9_]*$/;

function envelope(round: number, members: Record<string, unknown>): string {
	return JSON.stringify({
		v: 1,
		type: "session.list",
		id: `r${round}`,
		ts: new Date(0).toISOString(),
		src: "fuzz",
		...members,
	});
}

/** Lines that each deserve an error, on a connection that never joined. None of them changes anything. */
const LINES: readonly ((random: Random, round: number) => string | Uint8Array)[] = [
	(random) => pick(random, ["{", "null", "[]", "1", '"a"', "{}}", "\u0000", "NaN", '{"v":1']),
	(random) => JSON.stringify(junkValue(random)),
	(random) => Uint8Array.from({ length: 1 + random(60) }, () => 0x80 + random(0x80)),
	(random, round) => envelope(round, { v: pick<unknown>(random, [0, 2, "1", null, 1.5]) }),
	(random, round) =>
		envelope(round, { type: pick(random, ["", "no.such", "__proto__", "relay.submit", "events.history"]) }),
	(random, round) =>
		envelope(round, {
			[pick(random, ["id", "ts", "src", "type"])]: pick<unknown>(random, [1, null, {}, []]),
		}),
	(random, round) =>
		envelope(round, {
			type: "action.submit",
			session: "default",
			payload: pick<unknown>(random, [
				junkValue(random),
				{ actions: [] },
				{ actions: [{ type: "message" }] },
			]),
		}),
	(random, round) =>
		envelope(round, {
			type: "agent.add",
			session: "default",
			payload: { id: pick<unknown>(random, ["", 1, null, "somebody"]) },
		}),
	(random, round) =>
		envelope(round, { type: pick(random, ["agent.update", "agent.remove"]), payload: junkValue(random) }),
	(random, round) =>
		envelope(round, { type: "agent.list", session: pick<unknown>(random, ["", "no such", "__proto__"]) }),
	(random, round) =>
		envelope(round, { type: "session.close", session: pick(random, ["default", "none", ""]) }),
	(random) => (random(20) === 0 ? LONG_LINE : `{"v":1,"payload":${"[".repeat(500)}`),
];

interface CoordPeer {
	/** The first answer to the line, or undefined when the connection ended. */
	shoot(line: string | Uint8Array): Promise<Record<string, unknown> | undefined>;
	end(): void;
}

async function dial(path: string): Promise<CoordPeer> {
	const socket: Socket = connect(path);
	const queue: (Record<string, unknown> | undefined)[] = [];
	let wake: (() => void) | undefined;
	function add(entry: Record<string, unknown> | undefined): void {
		queue.push(entry);
		wake?.();
	}
	await new Promise<void>((resolve, reject) => {
		socket.once("connect", resolve);
		socket.once("error", reject);
	});
	socket.on("error", () => undefined);
	socket.on("close", () => add(undefined));
	createInterface({ input: socket }).on("line", (line) => add(JSON.parse(line) as Record<string, unknown>));
	return {
		async shoot(line) {
			socket.write(line);
			socket.write("\n");
			while (queue.length === 0)
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
			return queue.shift();
		},
		end: () => socket.destroy(),
	};
}

/** @throws Error unless it is an error with a code, and not `internal`. */
function assertCoded(answer: Record<string, unknown>, line: string | Uint8Array): string {
	const error = answer["error"];
	const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
	if (answer["status"] !== "error" || !CODE.test(code) || code === "internal")
		throw new Error(`${JSON.stringify(answer).slice(0, 300)} for ${String(line).slice(0, 300)}`);
	return code;
}

/**
 * Sends `rounds` broken lines to coord.sock and waits for the answer to each; comes back when it is put out for them, and
 * now and then leaves in the middle of a line. @throws Error at the first answer without a code.
 */
export async function fuzzCoord(path: string, random: Random, rounds: number): Promise<{ ends: number }> {
	let peer = await dial(path);
	let ends = 0;
	for (let round = 1; round <= rounds; round += 1) {
		const line = pick(random, LINES)(random, round);
		const answer = await peer.shoot(line);
		const code = answer === undefined ? undefined : assertCoded(answer, line);
		if (code !== undefined && code !== "too_many_errors" && random(200) > 0) continue;
		ends += 1;
		peer.end();
		peer = await dial(path);
	}
	peer.end();
	return { ends };
}
