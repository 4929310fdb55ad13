import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CodexError } from "#daemon/codex/method.ts";
import { type Bench, member, openBench } from "./memory-client.ts";

const UNKNOWN = "019f0000-0000-7000-8000-000000000000";
const OTHER_UUID = "invalid length: expected length 32 for simple format, found 3";

describe("codex requests", () => {
	let shared: Bench;
	beforeAll(async () => {
		shared = await openBench();
	});
	afterAll(() => shared[Symbol.asyncDispose]());

	test("codex requests: nothing is served when the client has not said initialize", async () => {
		await using bench = await openBench();
		const client = bench.client();
		const before = await client.request("thread/list", {});
		expect(before["error"]).toEqual({ code: -32600, message: "Not initialized" });
		await client.hello();
		const again = await client.hello();
		expect(again["error"]).toEqual({ code: -32600, message: "Already initialized" });
	});

	test.each([
		["initialize", {}, "Invalid request: missing field `clientInfo`"],
		["thread/start", { cwd: 5 }, "Invalid request: invalid type: integer `5`, expected a string"],
		[
			"thread/start",
			{ sandbox: "bogus" },
			"Invalid request: unknown variant `bogus`, expected one of `read-only`, `workspace-write`, `danger-full-access`",
		],
		[
			"thread/start",
			[],
			"Invalid request: invalid length 0, expected struct ThreadStartParams with 27 elements",
		],
		["thread/start", undefined, "Invalid request: missing field `params`"],
		["thread/start", { dynamicTools: [] }, "thread/start.dynamicTools requires experimentalApi capability"],
		["collaborationMode/list", {}, "collaborationMode/list requires experimentalApi capability"],
		["thread/read", { threadId: "abc" }, `invalid thread id: ${OTHER_UUID}`],
		["thread/archive", { threadId: "abc" }, `invalid session id: ${OTHER_UUID}`],
		["thread/read", { threadId: UNKNOWN }, `thread not loaded: ${UNKNOWN}`],
		["thread/resume", { threadId: UNKNOWN }, `no rollout found for thread id ${UNKNOWN}`],
		["turn/start", { threadId: UNKNOWN, input: [] }, `thread not found: ${UNKNOWN}`],
		["turn/start", { threadId: "x", input: [{ type: "text" }] }, "Invalid request: missing field `text`"],
		["thread/list", { limit: -1 }, "Invalid request: invalid value: integer `-1`, expected u32"],
		["thread/list", { cursor: "zzz" }, "invalid cursor: zzz"],
	])(
		"codex requests: %s is refused in the real server's words when its params are %j",
		async (method, params, message) => {
			const client = shared.client();
			await client.hello();
			expect((await client.request(method, params))["error"]).toEqual({ code: -32600, message });
		},
	);

	test("codex requests: the methods there are get named when a client asks for another", async () => {
		await using bench = await openBench();
		const answer = await bench.client().request("no/such/method", {});
		const start = "Invalid request: unknown variant `no/such/method`, expected one of `initialize`, ";
		expect(String(member(answer, "error.message")).startsWith(start)).toBe(true);
		expect(member(answer, "error.code")).toBe(-32600);
	});

	test("codex requests: lines that are no message are passed over when others follow", async () => {
		await using bench = await openBench();
		const client = bench.client();
		for (const line of ["not json", "[]", '{"id":7}', '{"foo":1}']) client.send(line);
		expect(member(await client.hello(), "result.platformFamily")).toBe("unix");
		expect(client.inbox.filter((message) => "error" in message)).toEqual([]);
	});

	test("codex requests: a notification is spared a client when it opted out of it", async () => {
		await using bench = await openBench();
		const [deaf, hearing] = [bench.client(), bench.client()];
		await deaf.hello({ optOutNotificationMethods: ["thread/started"] });
		await hearing.hello();
		await deaf.request("thread/start", { cwd: bench.cwd });
		const started = await hearing.told("thread/started");
		expect(typeof started["emittedAtMs"]).toBe("number");
		expect(deaf.inbox.some((message) => message["method"] === "thread/started")).toBe(false);
	});

	test("codex requests: a method of the installation answers and refuses through its handler", async () => {
		await using bench = await openBench([], {
			"config/read": (params, connection) => ({ params, who: connection.client.name }),
			"model/list": () => {
				throw new CodexError("no models");
			},
		});
		const client = bench.client();
		await client.hello();
		const read = await client.request("config/read", { includeLayers: false });
		expect(read["result"]).toEqual({ params: { includeLayers: false }, who: "tester" });
		const refused = await client.request("model/list", {});
		expect(refused["error"]).toEqual({ code: -32600, message: "no models" });
	});
});
