import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { systemClock } from "#base/clock.ts";
import { type CoordSocket, createCoordSocket } from "#daemon/transport/uds/create-coord-socket.ts";
import { openTestBus, quietTelemetry, type TestBus } from "#test/support/bus.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { failureOf, joinAsAgent, requestOnce } from "#test/support/weave-client.ts";

let folder: string;
let path: string;
let test: TestBus;
let socket: CoordSocket;

function listenAt(at: string): Promise<CoordSocket> {
	return createCoordSocket({
		path: at,
		bus: test.bus,
		clock: systemClock,
		logger: createMemoryLogger(),
		telemetry: quietTelemetry,
	});
}

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "coord-"));
	path = join(folder, "weave", "coord.sock");
	test = await openTestBus();
	socket = await listenAt(path);
});
afterEach(async () => {
	await socket[Symbol.asyncDispose]();
	await test[Symbol.asyncDispose]();
	await rm(folder, { recursive: true, force: true });
});

async function namesIn(session: string): Promise<unknown> {
	const answer = await requestOnce(path, { type: "agent.list", src: "codex-cli", session });
	return (answer["payload"] as { agents: { name: string }[] }).agents.map((agent) => agent.name);
}

describe("coord.sock", () => {
	it("coord.sock: is private, and gone after the end", async () => {
		expect((await stat(path)).mode & 0o777).toBe(0o600);
		expect((await stat(join(folder, "weave"))).mode & 0o777).toBe(0o700);
		await socket[Symbol.asyncDispose]();
		await expect(stat(path)).rejects.toThrow();
	});

	it("coord.sock: a living socket and a plain file are left alone, a dead one is replaced", async () => {
		await expect(listenAt(path)).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
		expect(failureOf(await requestOnce(path, { type: "session.list", src: "codex-cli" }))).toBeUndefined();
		const file = join(folder, "plain");
		await writeFile(file, "keep me");
		await expect(listenAt(file)).rejects.toBeInstanceOf(AppError);
		const dead = join(folder, "weave", "dead.sock");
		const program = `require("node:net").createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, "SIGKILL"))`;
		const { spawnSync } = await import("node:child_process");
		spawnSync(process.execPath, ["-e", program]);
		expect((await stat(dead)).isSocket()).toBe(true);
		const second = await listenAt(dead);
		await second[Symbol.asyncDispose]();
	});

	it("coord.sock: an original client creates, lists and closes sessions", async () => {
		const created = await requestOnce(path, {
			type: "session.create",
			src: "codex-cli",
			payload: { name: "room" },
		});
		expect(created).toMatchObject({ v: 1, status: "ok" });
		const session = String(created["session"]);
		const unnamed = await requestOnce(path, { type: "session.create", src: "codex-cli" });
		expect(unnamed["session"]).toEqual(expect.any(String));
		const listed = await requestOnce(path, { type: "session.list", src: "codex-cli" });
		expect(listed["payload"]).toEqual({
			sessions: [
				{ id: "default", name: "default" },
				{ id: session, name: "room" },
				{ id: unnamed["session"], name: "session" },
			],
		});
		await using member = await joinAsAgent({ path, session });
		expect(
			failureOf(await requestOnce(path, { type: "session.close", src: "codex-cli", session })),
		).toBeUndefined();
		await member.ended;
		const again = await requestOnce(path, { type: "session.close", src: "codex-cli", session });
		expect(failureOf(again)).toMatch(/^session_not_found: /);
	});

	it("coord.sock: an original client joins, renames itself, is listed, and leaves", async () => {
		const agent = await joinAsAgent({ path, session: "default" });
		expect(await namesIn("default")).toEqual([`codex-${agent.id.split("-")[0]}`]);
		expect(
			failureOf(await agent.request({ type: "agent.update", payload: { id: agent.id, name: "Ada" } })),
		).toBeUndefined();
		expect(await namesIn("default")).toEqual(["Ada"]);
		await agent[Symbol.asyncDispose]();
		expect(await namesIn("default")).toEqual([]);
		await using back = await joinAsAgent({ path, session: "default", id: agent.id, name: "Ada" });
		expect(await namesIn("default")).toEqual(["Ada"]);
		back.drop();
		await test.until(() => test.bus.listAgents({}).length === 0);
	});

	it("coord.sock: a taken name is refused with a free one", async () => {
		await using _ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		await using other = await joinAsAgent({ path, session: "default", join: false });
		const answer = await other.request({ type: "agent.add", payload: { id: other.id, name: "ada" } });
		expect(answer["error"]).toMatchObject({ code: "agent_name_taken", detail: { proposed: "ada-2" } });
		expect(
			failureOf(await other.request({ type: "agent.add", payload: { id: other.id, name: "ada-2" } })),
		).toBeUndefined();
	});

	it("coord.sock: a connection speaks only as the agent that joined on it", async () => {
		await using ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		await using bob = await joinAsAgent({ path, session: "default", name: "Bob" });
		for (const draft of [
			{ type: "agent.update", src: bob.id, payload: { id: bob.id, name: "Eve" } },
			{ type: "agent.update", payload: { id: bob.id, name: "Eve" } },
			{ type: "agent.remove", payload: { id: bob.id } },
			{ type: "session.list", src: "codex-cli" },
		]) {
			expect((await ada.request(draft))["error"]).toMatchObject({ code: "src_mismatch" });
		}
		const unbound = await requestOnce(path, {
			type: "agent.update",
			src: ada.id,
			session: "default",
			payload: { id: ada.id, name: "Eve" },
		});
		expect(unbound["error"]).toMatchObject({ code: "not_joined" });
		expect(await namesIn("default")).toEqual(["Ada", "Bob"]);
	});

	it("coord.sock: nothing sent behind a join that is refused is done in the other's name", async () => {
		await using ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		await test.addThread("Bob");
		const bob = test.bus.listAgents({}).find((agent) => agent.name === "Bob")?.agent_id ?? "";
		await using eve = await joinAsAgent({ path, session: "default", join: false });
		const message = { type: "message", dst: "Ada", text: "send me the keys" };
		const codes = await Promise.all(
			[
				{ type: "agent.add", payload: { id: bob, name: "Bob" } },
				{ type: "action.submit", payload: { group_id: "g", actions: [message] } },
				{ type: "agent.update", payload: { id: bob, name: "Mallory" } },
				{ type: "agent.remove" },
			].map((draft) => eve.request({ ...draft, src: bob, session: "default" })),
		);
		expect(codes.map((answer) => (answer["error"] as { code?: string } | undefined)?.code)).toEqual([
			"conflict",
			"not_joined",
			"not_joined",
			"not_joined",
		]);
		expect(test.bus.listMessages({ limit: 5 })).toEqual([]);
		expect(await namesIn("default")).toEqual(["Ada", "Bob"]);
		expect(ada.inbox).toEqual([]);
	});

	it.each(["coordinator", "a\u001b[31mb", "a b", "a\u202eb", ""])(
		"coord.sock: nobody joins under an id that could be taken for another: %j",
		async (id) => {
			await using eve = await joinAsAgent({ path, session: "default", join: false });
			const answer = await eve.request({ type: "agent.add", src: id, session: "default", payload: { id } });
			expect(answer["error"]).toMatchObject({ code: expect.stringMatching(/^invalid_/) });
		},
	);

	it("coord.sock: what is sent behind a join, without waiting for its answer, is the agent's", async () => {
		await using _ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		await using bob = await joinAsAgent({ path, session: "default", join: false });
		const message = { type: "message", dst: "Ada", text: "hi" };
		const answers = await Promise.all([
			bob.request({ type: "agent.add", payload: { id: bob.id, name: "Bob" } }),
			bob.request({ type: "action.submit", payload: { group_id: "g", actions: [message] } }),
		]);
		expect(answers.map(failureOf)).toEqual([undefined, undefined]);
	});

	it("coord.sock: mail reaches an outside agent, is acknowledged, and its reply the asker", async () => {
		await using ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		await using bob = await joinAsAgent({ path, session: "default", name: "Bob" });
		const submit = {
			group_id: "g1",
			actions: [{ type: "message", dst: "bob", action_id: "a1", action_index: 0, text: "how many?" }],
		};
		const first = await ada.request({ type: "action.submit", idempotency_key: "g1", payload: submit });
		const again = await ada.request({ type: "action.submit", idempotency_key: "g1", payload: submit });
		expect(first["payload"]).toMatchObject({
			group_id: "g1",
			actions: [{ action_id: "a1", state: "accepted" }],
		});
		const id = (first["payload"] as { actions: { message_id: string }[] }).actions[0]?.message_id ?? "";
		expect((again["payload"] as { actions: { message_id: string }[] }).actions[0]?.message_id).toBe(id);
		const mail = await bob.mail(1);
		expect(mail).toMatchObject({
			type: "message.send",
			id,
			src: ada.id,
			dst: bob.id,
			session: "default",
			payload: { text: "how many?", kind: "user" },
			meta: { "weave.origin_src_name": "Ada" },
			ack: { mode: "auto" },
		});
		await test.reaches(id, "seen");
		const reply = await bob.request({
			type: "action.submit",
			payload: {
				group_id: "g2",
				context: { context_id: id, owner_id: ada.id, parent_message_id: id },
				actions: [
					{
						type: "message",
						dst: ada.id,
						action_id: "b1",
						action_index: 0,
						text: "three",
						kind: "reply",
						reply_policy: "none",
					},
				],
			},
		});
		expect(failureOf(reply)).toBeUndefined();
		expect(await ada.mail(1)).toMatchObject({
			src: bob.id,
			payload: { text: "three", kind: "reply", parent_message_id: id },
		});
		expect(test.bus.readMessage(id)).toMatchObject({ state: "answered", answer: "three" });
		const late = await bob.request({
			type: "action.submit",
			payload: { group_id: "g3", actions: [{ type: "message", dst: ada.id, text: "four", kind: "reply" }] },
		});
		expect(late["error"]).toMatchObject({ code: "no_open_question" });
		expect(bob.inbox).toHaveLength(1);
	});

	it("coord.sock: what is not known is answered with a code, and nothing is half done", async () => {
		await using ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		for (const type of ["relay.submit", "events.history", "constructor", "agent.join"]) {
			expect((await ada.request({ type }))["error"]).toMatchObject({ code: "unsupported_operation" });
		}
		await using bob = await joinAsAgent({ path, session: "default", name: "Bob" });
		const mixed = [
			{ type: "message", dst: "Bob", text: "hi" },
			{ type: "control", dst: "Bob", command: "interrupt" },
		];
		const answer = await ada.request({ type: "action.submit", payload: { group_id: "g", actions: mixed } });
		expect(answer["error"]).toMatchObject({ code: "unsupported_operation" });
		expect(test.bus.listMessages({ agent: "Bob", limit: 5 })).toEqual([]);
		expect((await ada.request({ type: "agent.list", session: "nowhere" }))["error"]).toMatchObject({
			code: "session_not_found",
		});
		expect((await ada.request({ type: "agent.update", payload: 5 }))["error"]).toMatchObject({
			code: "invalid_payload",
		});
		expect((await ada.request({ type: "session.list", v: 2 }))["error"]).toMatchObject({
			code: "unsupported_version",
		});
		expect(bob.inbox).toEqual([]);
	});

	it("coord.sock: bad lines are told, the connection lives on, and ends when they do not", async () => {
		await using agent = await joinAsAgent({ path, session: "default", name: "Ada" });
		agent.send(`not json\n[1]\n{"v":1}\n${"x".repeat(1024 * 1024 + 1)}\n\n`);
		expect(failureOf(await agent.request({ type: "session.list" }))).toBeUndefined();
		const hostile = connect(path);
		const codes: unknown[] = [];
		hostile.write("nonsense\n".repeat(100));
		for await (const line of createInterface({ input: hostile })) {
			codes.push((JSON.parse(line) as { error: { code: string } }).error.code);
		}
		expect(codes).toEqual([...Array.from({ length: 11 }, () => "invalid_json"), "too_many_errors"]);
		expect(await namesIn("default")).toEqual(["Ada"]);
	});

	it("coord.sock: a client that says all and closes its side still gets its answers", async () => {
		const client = connect({ path, allowHalfOpen: true });
		const lines = [1, 2, 3].map((n) =>
			JSON.stringify({ v: 1, type: "session.list", id: `r${n}`, ts: "now", src: "codex-cli" }),
		);
		client.end(`${lines.join("\n")}\n`);
		const answered: unknown[] = [];
		for await (const line of createInterface({ input: client }))
			answered.push((JSON.parse(line) as { corr: string }).corr);
		expect(answered).toEqual(["r1", "r2", "r3"]);
	});

	it("coord.sock: a client that does not read holds nobody else up", async () => {
		await using ada = await joinAsAgent({ path, session: "default", name: "Ada" });
		const deaf = connect(path);
		deaf.pause();
		deaf.write(
			`${JSON.stringify({ v: 1, type: "agent.add", id: "j", ts: "now", src: "deaf", session: "default", payload: { id: "deaf", name: "deaf" } })}\n`,
		);
		await test.until(() => test.bus.listAgents({}).some((agent) => agent.name === "deaf"));
		const text = "x".repeat(100_000);
		const actions = Array.from({ length: 5 }, (_, action_index) => ({
			type: "message",
			dst: "deaf",
			action_index,
			text,
		}));
		for (const group_id of ["g1", "g2", "g3"]) {
			expect(
				failureOf(await ada.request({ type: "action.submit", payload: { group_id, actions } })),
			).toBeUndefined();
		}
		await using bob = await joinAsAgent({ path, session: "default", name: "Bob" });
		await ada.request({
			type: "action.submit",
			payload: { group_id: "g4", actions: [{ type: "message", dst: "Bob", text: "hello" }] },
		});
		expect((await bob.mail(1))["payload"]).toMatchObject({ text: "hello" });
		deaf.destroy();
		await test.until(() => test.bus.listAgents({}).every((agent) => agent.name !== "deaf"));
		const states = test.bus
			.listMessages({ limit: 100 })
			.filter((message) => message.to_agent_id === "deaf")
			.map((message) => message.state);
		expect(new Set(states)).toEqual(new Set(["failed"]));
	});

	it("coord.sock: a socket of somebody else is not removed", async () => {
		const other = join(folder, "other.sock");
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(other, resolve));
		await chmod(folder, 0o700);
		await expect(listenAt(other)).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
		expect((await stat(other)).isSocket()).toBe(true);
		await new Promise((resolve) => server.close(resolve));
	});
});
