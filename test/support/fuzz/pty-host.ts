import { connect } from "node:net";
import { encodeHostFrame, encodeHostJson, HOST_FRAME } from "#client/attach/host-frame.ts";
import { junkValue, pick, type Random } from "./random.ts";

const VERSIONS = { min: 1, max: 1 };

function bytesOf(random: Random, length: number): Uint8Array {
	return Uint8Array.from({ length }, () => random(256));
}

/** A length that promises more than a first frame may have. */
function hugeLength(random: Random): Uint8Array {
	const head = new Uint8Array(5 + random(20));
	new DataView(head.buffer).setUint32(0, pick(random, [0xffff_ffff, 0x8000_0000, 64 * 1024 + 2, 1 << 30]));
	return head;
}

/** What a stranger might send first; none of it may be let in. */
const SHOTS: readonly ((random: Random) => Uint8Array)[] = [
	(random) => bytesOf(random, 1 + random(200)),
	hugeLength,
	() => new Uint8Array(8),
	(random) => encodeHostFrame(random(256), bytesOf(random, random(100))),
	(random) => encodeHostJson(HOST_FRAME.hello, junkValue(random)),
	(random) =>
		encodeHostJson(HOST_FRAME.hello, {
			...VERSIONS,
			role: pick<unknown>(random, ["", "daemon", null, 1, {}]),
		}),
	(random) =>
		encodeHostJson(HOST_FRAME.hello, {
			...VERSIONS,
			role: "control",
			secret: pick<unknown>(random, [
				"",
				"0".repeat(64),
				"f".repeat(64),
				"not hex",
				1,
				null,
				"a".repeat(60_000),
			]),
		}),
	(random) =>
		encodeHostJson(HOST_FRAME.hello, {
			...VERSIONS,
			role: "attach",
			ticket: pick<unknown>(random, ["", "none", "__proto__", 1, null]),
			cols: pick<unknown>(random, [80, 0, -1, 1e9, "80", null]),
			rows: 24,
			paint: pick<unknown>(random, ["screen", "none", "", 7]),
			from_offset: pick<unknown>(random, [0, -1, 1e300, "a", null]),
		}),
	(random) => encodeHostJson(HOST_FRAME.hello, { min: random(9) + 2, max: 99, role: "control", secret: "" }),
	(random) =>
		encodeHostJson(HOST_FRAME.request, {
			id: random(9),
			op: pick(random, ["list", "start", "kill", "ticket"]),
		}),
	(random) =>
		encodeHostFrame(
			pick(random, [HOST_FRAME.input, HOST_FRAME.resize, HOST_FRAME.ack]),
			bytesOf(random, random(20)),
		),
	(random) => encodeHostFrame(HOST_FRAME.hello, new Uint8Array(64 * 1024 + random(64))),
];

/** Resolves, with what came back, when the host has ended the connection. */
function shoot(path: string, shot: Uint8Array): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		const socket = connect(path, () => socket.end(shot));
		socket.on("data", (chunk: Buffer) => chunks.push(chunk));
		socket.on("close", () => resolve(Buffer.concat(chunks)));
		socket.on("error", (error) => {
			// The host may cut before it has read everything.
			if ("code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET")) return;
			reject(error);
		});
	});
}

/** True when the host answered with a hello: the stranger was let in. */
function isGreeted(answer: Buffer): boolean {
	return answer.length > 4 && answer[4] === HOST_FRAME.hello;
}

/** Opens `rounds` connections to the pty-host's socket, each with something broken first. @throws Error when one is let in. */
export async function fuzzPtyHost(path: string, random: Random, rounds: number): Promise<void> {
	for (let round = 1; round <= rounds; round += 1) {
		const shot = pick(random, SHOTS)(random);
		const answer = await shoot(path, shot);
		if (isGreeted(answer)) throw new Error(`let in by ${Buffer.from(shot).toString("latin1").slice(0, 300)}`);
	}
}
