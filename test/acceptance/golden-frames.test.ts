import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { serverMessageSchema } from "#protocol/envelope.ts";
import { VERSION } from "#protocol/limits.ts";
import { createProduct, type Product, ROOT, until } from "#test/support/product.ts";

type Json = Record<string, unknown>;
type Step = { send: Json } | { receive: Json } | { receiveAll: Json[] };

let product: Product;
beforeAll(async () => {
	product = await createProduct();
	expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
});
afterAll(async () => {
	await product[Symbol.asyncDispose]();
});

/** Placeholders for what differs from run to run; the rest is compared to the letter, members beside it are allowed. */
function expected(value: unknown): unknown {
	if (value === "<uuid>")
		return expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	if (value === "<text>") return expect.stringMatching(/./);
	if (value === "<version>") return VERSION;
	if (Array.isArray(value)) return value.map(expected);
	if (typeof value !== "object" || value === null) return value;
	return expect.objectContaining(
		Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expected(inner)])),
	);
}

describe("golden: the gateway's text frames, protocol 1", () => {
	test("frames: a recorded conversation is answered as it was recorded", async () => {
		const steps: Step[] = JSON.parse(readFileSync(join(ROOT, "test/golden/gateway-frames.json"), "utf8"));
		const socket = new WebSocket(`ws+unix:${product.home}/daemon.sock:/ws`);
		const received: unknown[] = [];
		socket.on("message", (data) => received.push(JSON.parse(String(data))));
		await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
		/** A row may be published more often than it changed, so later events of a topic are let pass. */
		async function take(count: number, events: boolean): Promise<unknown[]> {
			const fitting = (): unknown[] =>
				received.filter((frame) => events || (frame as Json)["type"] !== "event");
			await until(`${count} frames came`, () => fitting().length >= count);
			const frames = fitting().slice(0, count);
			received.splice(0, received.indexOf(frames.at(-1)) + 1);
			for (const frame of frames) expect(() => serverMessageSchema.parse(frame)).not.toThrow();
			return frames;
		}
		for (const step of steps) {
			if ("send" in step) {
				socket.send(JSON.stringify(step.send).replaceAll("<work>", product.work));
				continue;
			}
			const wanted = "receive" in step ? [step.receive] : step.receiveAll;
			const frames = await take(
				wanted.length,
				wanted.some((frame) => frame["type"] === "event"),
			);
			expect(frames).toEqual(expect.arrayContaining(wanted.map(expected)));
		}
		socket.close();
	});
});
