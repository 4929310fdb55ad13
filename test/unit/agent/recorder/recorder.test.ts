import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import { createRecorder } from "#daemon/agent/recorder/create-recorder.ts";
import type { RecordLine } from "#daemon/agent/recorder/port.ts";
import { defineTool } from "#daemon/agent/tool.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { call, createHarness } from "../runner/harness.ts";

let root: string;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "recorder-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const folder = (): string => join(root, "recordings");
const recorder = () => createRecorder({ folder: folder(), clock: systemClock, logger: createMemoryLogger() });

function readLines(turnId: string): RecordLine[] {
	return readFileSync(join(folder(), `${turnId}.ndjson`), "utf8")
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line) as RecordLine)
		.sort((a, b) => a.n - b.n);
}

/** A tool that runs one command in the context's environment. */
const runTool = defineTool({
	name: "act",
	spec: { type: "function", name: "act" },
	async execute(_input, context) {
		const result = await context.environment.exec({
			...{
				argv: ["say"],
				cwd: context.cwd,
				env: { PATH: "/bin", HIDDEN: "h" },
				sandbox: "read-only" as const,
			},
			...{ networkAccess: false, writableRoots: [] },
		}).done;
		return { output: result.output, success: true, stopTurn: false };
	},
});

const environment = (listeners: ((chunk: string) => void)[] = []): Environment => ({
	machineId: "m",
	sandbox: { kind: "none", available: false, detail: null },
	exec: () => ({
		pid: 7,
		startTime: "1",
		kill: () => undefined,
		onOutput(listener) {
			listeners.push(listener);
			return { [Symbol.dispose]: () => undefined };
		},
		done: Promise.resolve().then(() => {
			for (const tell of listeners) for (const chunk of ["one sk-abc", "defghijk two\n"]) tell(chunk);
			const output = "one sk-abcdefghijk two\n";
			return { exitCode: 0, signal: null, output, durationMs: 3, startError: null };
		}),
	}),
	readText: async () => undefined,
	writeText: async () => undefined,
	remove: async () => undefined,
	realPath: async (path) => path,
});

test("recorder: a turn reads back with requests, frames, deltas, commands, times and ids, in order and without secrets", async () => {
	let turnId = "";
	{
		await using h = await createHarness({
			script: [
				["Hel", "lo", { call: {}, id: "c1" }],
				["the key is sk-123", "45678abc, keep it"],
			],
			deps: { recorder: recorder(), tools: () => Promise.resolve([runTool]), environment: environment() },
		});
		const message = { thread_id: await h.thread(), text: "use token=abcd1234", when_busy: "steer" as const };
		({ turn_id: turnId } = await h.runner.sendMessage(message, call()));
		await h.when("chat.turn.completed", turnId);
	}
	const lines = readLines(turnId);
	expect(new Set(lines.map((line) => line.n)).size).toBe(lines.length);
	const types = new Set(lines.map((line) => line.type));
	for (const type of [
		"recording",
		"turn.started",
		"model.request",
		"model.frame",
		"loop.event",
		"turn.ended",
	])
		expect(types, type).toContain(type);
	expect(lines[0]).toMatchObject({ n: 1, type: "recording", version: 1, turn_id: turnId });
	const deltas = lines.filter(
		(line) => line.type === "model.frame" && line["request"] === 1 && "delta" in line,
	);
	expect(deltas.map((line) => line["delta"])).toEqual(["Hel", "lo"]);
	const requests = lines.filter((line) => line.type === "model.request");
	expect(requests).toHaveLength(2);
	expect(requests[1]).toMatchObject({ body: { turnId, input: expect.any(Array) } });
	expect(lines.find((line) => line.type === "command.request")).toMatchObject({
		...{ request: { argv: ["say"] }, env_names: ["HIDDEN", "PATH"] },
	});
	expect(lines.find((line) => line.type === "command.output")).toMatchObject({
		...{ text: "one [redacted] two\n", joined: 2 },
	});
	expect(lines.find((line) => line.type === "command.ended")).toMatchObject({ result: { exitCode: 0 } });
	expect(lines.at(-1)).toMatchObject({ type: "turn.ended", outcome: { status: "completed" } });
	for (const line of lines) expect(line.at_ms).toBeGreaterThan(1_700_000_000_000);
	const text = readFileSync(join(folder(), `${turnId}.ndjson`), "utf8");
	for (const secret of ["45678abc", "sk-123", "abcd1234", "defghijk", '"h"'])
		expect(text).not.toContain(secret);
	expect(statSync(folder()).mode & 0o777).toBe(0o700);
	expect(statSync(join(folder(), `${turnId}.ndjson`)).mode & 0o777).toBe(0o600);
});

test("recorder: a flood of one text is written as it comes, cut at a line", async () => {
	const clock = createFakeClock();
	const recording = createRecorder({ folder: folder(), clock, logger: createMemoryLogger() }).open({
		...{ threadId: "t", turnId: "u" },
	});
	const line = `${"x".repeat(999)}\n`;
	for (let piece = 0; piece < 66; piece += 1)
		recording.piece("k", "text", { type: "command.output", text: `${line}tail` });
	await recording[Symbol.asyncDispose]();
	const written = readLines("u").flatMap((entry) => (entry.type === "command.output" ? [entry["text"]] : []));
	expect(written.join("")).toBe(`${line}tail`.repeat(66));
});

test("recorder: a folder that cannot be made is told in the log and the turn runs", async () => {
	await writeFile(join(root, "recordings"), "a file");
	const logger = createMemoryLogger();
	await using h = await createHarness({
		deps: { recorder: createRecorder({ folder: folder(), clock: systemClock, logger }) },
	});
	const message = { thread_id: await h.thread(), text: "hi", when_busy: "steer" as const };
	const { turn_id } = await h.runner.sendMessage(message, call());
	expect(await h.when("chat.turn.completed", turn_id)).toMatchObject({ turn: { status: "completed" } });
	expect(JSON.stringify(logger)).toContain("recordings have no folder");
	expect(readdirSync(root)).toEqual(["recordings"]);
});
