import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#protocol/limits.ts";
import { codeOf, fuzzGateway, fuzzHello, greet, type Peer } from "#test/support/fuzz/gateway.ts";
import { createRandom } from "#test/support/fuzz/random.ts";
import { type GatewayFixture, startGateway } from "./gateway-fixture.ts";

/** Frames in all; `npm run soak` goes on for minutes, against the installed daemon. */
const ROUNDS = Number(process.env["WEAVE_FUZZ_ROUNDS"] ?? 10_000);
const SEED = Number(process.env["WEAVE_FUZZ_SEED"] ?? 20_260_101);

describe("gateway: fuzzed", () => {
	let fixture: GatewayFixture;
	beforeAll(async () => {
		fixture = await startGateway({ "daemon.status": () => ({ ok: true }) }, { web: false });
	});
	afterAll(() => fixture[Symbol.asyncDispose]());

	test(`gateway: gives each of ${ROUNDS} broken frames a code and lives on (seed ${SEED})`, {
		timeout: 600_000,
	}, async () => {
		const { closes } = await fuzzGateway(fixture, createRandom(SEED), ROUNDS);
		expect(closes).toBeGreaterThan(0);
		await expectUnharmed();
	});

	test("gateway: answers whatever comes in place of a hello with a reject and 4001", {
		timeout: 120_000,
	}, async () => {
		await fuzzHello(fixture, createRandom(SEED + 1), Math.max(100, ROUNDS / 50));
		await expectUnharmed();
	});

	test("gateway: answers an oversized frame with a code, and cuts one that is far too large", async () => {
		const peer: Peer = await greet(fixture);
		peer.send(
			JSON.stringify({
				type: "request",
				id: 1,
				method: "daemon.status",
				params: { a: "x".repeat(LIMITS.frame_bytes) },
			}),
		);
		expect(codeOf((await peer.next()).message)).toBe("PROTOCOL_LIMIT");
		peer.send(new Uint8Array(LIMITS.frame_bytes + 1));
		expect(codeOf((await peer.next()).message)).toBe("PROTOCOL_LIMIT");
		peer.send(new Uint8Array(LIMITS.frame_bytes * 2 + 1));
		expect((await peer.next()).closed).toBe(1009);
		await expectUnharmed();
	});

	async function expectUnharmed(): Promise<void> {
		const peer = await greet(fixture);
		peer.send(JSON.stringify({ type: "request", id: "last", method: "daemon.status", params: {} }));
		expect((await peer.next()).message).toEqual({ type: "response", id: "last", result: { ok: true } });
		peer.end();
		await expect.poll(() => fixture.gateway.connections).toBe(0);
		expect(fixture.gateway.inFlight).toBe(0);
		expect(fixture.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
	}
});
