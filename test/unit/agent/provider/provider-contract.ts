import { describe, expect, test } from "vitest";
import type { ModelEvent, ModelItem, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { startWireServer, type WireAnswer, type WireServer } from "#test/support/wire-server.ts";

export interface Call {
	id: string;
	name: string;
	args: unknown;
}
export interface Said {
	thought?: string;
	text?: string;
	calls?: readonly Call[];
	usage?: { input: number; cached: number; output: number };
}

/** How one wire says things; frames are whole server-sent events. */
export interface Wire {
	name: string;
	/** End of the path that answers are for. */
	path: string;
	/** Everything of a response that ends well. */
	frames(said: Said): string[];
	/** An event that nobody has heard of. */
	unknownFrame: string;
	/** The body of a refusal. */
	errorBody(message: string): unknown;
	/** Tells the server what it needs beside answers, and makes the provider for it. */
	connect(server: WireServer, folder: string): ModelProvider;
}

export const TOOLS: readonly ModelItem[] = [
	{
		type: "function",
		name: "look",
		description: "Looks.",
		parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
	},
	{
		type: "custom",
		name: "apply_patch",
		description: "Patches.",
		format: { type: "grammar", syntax: "lark", definition: "start: x" },
	},
];

export const userItem = (text: string): ModelItem => ({
	type: "message",
	role: "user",
	content: [{ type: "input_text", text }],
});
export const developerItem = (text: string): ModelItem => ({
	type: "message",
	role: "developer",
	content: [{ type: "input_text", text }],
});

export function requestOf(input: readonly ModelItem[], more: Partial<ModelRequest> = {}): ModelRequest {
	return { threadId: "thr", turnId: "trn", model: null, cwd: "/", input, tools: TOOLS, ...more };
}

export async function collect(
	provider: ModelProvider,
	request: ModelRequest = requestOf([userItem("hi")]),
	signal: AbortSignal = new AbortController().signal,
): Promise<ModelEvent[]> {
	const events: ModelEvent[] = [];
	for await (const event of provider.stream(request, signal)) events.push(event);
	return events;
}

export const itemsOf = (events: readonly ModelEvent[]): ModelItem[] =>
	events.flatMap((event) => (event.type === "item_done" ? [event.item] : []));
export const textOf = (events: readonly ModelEvent[]): string =>
	events.map((event) => (event.type === "text_delta" ? event.delta : "")).join("");
const failureOf = (events: readonly ModelEvent[]) => {
	const last = events.at(-1);
	return last?.type === "failed" ? last.failure : null;
};

/** The same behaviour of every provider, whatever it speaks. `folder` makes a new, empty home. */
export function describeProviderContract(wire: Wire, folder: () => string): void {
	async function run(
		answers: readonly WireAnswer[],
		body: (provider: ModelProvider, server: WireServer) => Promise<void>,
	): Promise<void> {
		await using server = await startWireServer();
		server.answer(wire.path, ...answers);
		await body(wire.connect(server, folder()), server);
	}
	const ok = (said: Said): WireAnswer => ({ pieces: wire.frames(said) });

	describe(`${wire.name}: contract`, () => {
		test("provider: text comes as it streams and is finished as one item", () =>
			run([ok({ text: "Hello there" })], async (provider) => {
				const events = await collect(provider);
				expect(textOf(events)).toBe("Hello there");
				expect(events.findIndex((event) => event.type === "item_started")).toBeLessThan(
					events.findIndex((event) => event.type === "text_delta"),
				);
				expect(itemsOf(events)).toMatchObject([
					{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello there" }] },
				]);
				expect(events.at(-1)?.type).toBe("completed");
			}));

		test("provider: calls side by side keep their ids, names and arguments, in order", () =>
			run(
				[
					ok({
						text: "Let me see.",
						calls: [
							{ id: "call_1", name: "look", args: { path: "a" } },
							{ id: "call_2", name: "look", args: { path: "b" } },
						],
					}),
				],
				async (provider) => {
					const calls = itemsOf(await collect(provider)).filter((item) => item.type === "function_call");
					expect(calls).toMatchObject([
						{ call_id: "call_1", name: "look" },
						{ call_id: "call_2", name: "look" },
					]);
					expect(calls.map((call) => JSON.parse(String(call["arguments"])))).toEqual([
						{ path: "a" },
						{ path: "b" },
					]);
				},
			));

		test("provider: thoughts come as reasoning, before what they are about", () =>
			run([ok({ thought: "I wonder", text: "Done" })], async (provider) => {
				const events = await collect(provider);
				const thoughts = events
					.map((event) => (event.type === "reasoning_delta" ? event.delta : ""))
					.join("");
				expect(thoughts).toBe("I wonder");
				expect(itemsOf(events).map((item) => item.type)).toEqual(["reasoning", "message"]);
			}));

		test("provider: usage is counted as Codex counts it", () =>
			run([ok({ text: "x", usage: { input: 100, cached: 40, output: 7 } })], async (provider) => {
				expect((await collect(provider)).at(-1)).toMatchObject({
					type: "completed",
					usage: { inputTokens: 100, cachedInputTokens: 40, outputTokens: 7, totalTokens: 107 },
				});
			}));

		test("provider: what it said goes back with the next request", () =>
			run(
				[
					ok({
						thought: "hmm",
						text: "Looking.",
						calls: [{ id: "call_1", name: "look", args: { path: "a" } }],
					}),
					ok({ text: "done" }),
				],
				async (provider, server) => {
					const history = [userItem("go"), ...itemsOf(await collect(provider, requestOf([userItem("go")])))];
					const output = { type: "function_call_output", call_id: "call_1", output: "it is there" };
					expect((await collect(provider, requestOf([...history, output]))).at(-1)?.type).toBe("completed");
					const sent = JSON.stringify(server.requests.at(-1)?.body);
					for (const part of ["Looking.", "call_1", "look", "it is there"]) expect(sent).toContain(part);
				},
			));

		test("provider: what only another wire understands is not sent", () =>
			run([ok({ text: "done" })], async (provider, server) => {
				const foreign = { x_other: { sealed: "for-another" } };
				const said = { type: "message", role: "assistant", content: [{ type: "output_text", text: "kept" }] };
				const history = [
					userItem("go"),
					{ type: "reasoning", id: "rs_1", summary: [], ...foreign },
					{ ...said, ...foreign },
					{ type: "x_other", ...foreign },
					userItem("on"),
				];
				expect((await collect(provider, requestOf(history))).at(-1)?.type).toBe("completed");
				const sent = JSON.stringify(server.requests.at(-1)?.body);
				expect(sent).toContain("kept");
				expect(sent).not.toContain("for-another");
			}));

		test("provider: requests of a thread share their beginning, and equal ones are equal", () =>
			run([ok({ text: "x" })], async (provider, server) => {
				const first = requestOf([developerItem("Rules."), userItem("one")]);
				await collect(provider, first);
				await collect(provider, first);
				const [one, two] = server.requests
					.filter((request) => request.path.endsWith(wire.path))
					.map((request) => JSON.stringify(request.body));
				expect(one).toBe(two);
			}));

		test.each([
			[401, null],
			[403, null],
		])("provider: a refused login (%i) says so and holds no secret", (status) =>
			run(
				[{ status, pieces: [JSON.stringify(wire.errorBody("bad key secret-key-123456"))] }],
				async (provider) => {
					const failure = failureOf(await collect(provider));
					expect(failure?.httpStatusCode).toBe(status);
					expect(failure?.message).not.toContain("secret-key-123456");
				},
			),
		);

		test("provider: too many requests wait as long as the server says", () =>
			run(
				[
					{
						status: 429,
						headers: { "retry-after": "7" },
						pieces: [JSON.stringify(wire.errorBody("slow down"))],
					},
				],
				async (provider) => {
					expect(failureOf(await collect(provider))).toMatchObject({ kind: "stream", retryAfterMs: 7000 });
				},
			));

		test("provider: a server's own error is tried again", () =>
			run([{ status: 500, pieces: [JSON.stringify(wire.errorBody("oops"))] }], async (provider) => {
				expect(failureOf(await collect(provider))).toMatchObject({
					kind: "request",
					codexErrorInfo: "internalServerError",
				});
			}));

		test.each([
			["drop", "drop"],
			["a silent end", "end"],
		] as const)("provider: a stream that ends early by %s is a broken stream", (_name, end) =>
			run([{ pieces: wire.frames({ text: "Hello there" }).slice(0, 2), end }], async (provider) => {
				expect(failureOf(await collect(provider))?.kind).toBe("stream");
			}),
		);

		test("provider: garbage in a frame is a broken stream, not a crash", () =>
			run([{ pieces: ["data: {not json\n\n"] }], async (provider) => {
				expect(failureOf(await collect(provider))?.kind).toBe("stream");
			}));

		test("provider: frames cut anywhere read the same", () =>
			run(
				[{ pieces: [...wire.frames({ text: "grüße 🙂 there" }).join("")].map((char) => char) }],
				async (provider) => {
					const events = await collect(provider);
					expect(textOf(events)).toBe("grüße 🙂 there");
					expect(events.at(-1)?.type).toBe("completed");
				},
			));

		test("provider: half a frame at the end is a broken stream", () => {
			const whole = wire.frames({ text: "Hello" }).join("");
			return run([{ pieces: [whole.slice(0, Math.floor(whole.length / 2))] }], async (provider) => {
				expect(failureOf(await collect(provider))?.kind).toBe("stream");
			});
		});

		test("provider: ten megabytes in one delta arrive whole", () =>
			run([ok({ text: "x".repeat(10 * 1024 * 1024) })], async (provider) => {
				const events = await collect(provider);
				expect(textOf(events).length).toBe(10 * 1024 * 1024);
				expect(events.at(-1)?.type).toBe("completed");
			}));

		test("provider: events nobody knows are passed over", () => {
			const [first = "", ...rest] = wire.frames({ text: "fine" });
			return run([{ pieces: [first, wire.unknownFrame, ": a comment\n\n", ...rest] }], async (provider) => {
				const events = await collect(provider);
				expect(textOf(events)).toBe("fine");
				expect(events.at(-1)?.type).toBe("completed");
			});
		});

		test("provider: an abort ends the request without another event", () =>
			run(
				[{ pieces: wire.frames({ text: "Hello there" }).slice(0, 3), end: "hang" }],
				async (provider, server) => {
					const stop = new AbortController();
					const types: string[] = [];
					for await (const event of provider.stream(requestOf([userItem("hi")]), stop.signal)) {
						types.push(event.type);
						stop.abort();
					}
					expect(types).toHaveLength(1);
					await server.cut();
				},
			));

		test("provider: nobody listening is the network's fault", async () => {
			const server = await startWireServer();
			server.answer(wire.path, ok({ text: "x" }));
			const provider = wire.connect(server, folder());
			await server[Symbol.asyncDispose]();
			expect(failureOf(await collect(provider))?.kind).toBe("network");
		});
	});
}
