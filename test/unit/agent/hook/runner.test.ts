import { expect, test } from "vitest";
import { createHookRunner } from "#daemon/agent/hook/runner.ts";
import { registerToolTiming } from "#daemon/agent/hook/tool-timing.ts";
import type { Logger, Telemetry } from "#daemon/telemetry/port.ts";

function createRecorder() {
	const lines: string[] = [];
	const gauges = new Map<string, () => number>();
	const telemetry: Telemetry = {
		count: (name, _by, labels) => void lines.push(`count ${name} ${JSON.stringify(labels)}`),
		observe: (name, value, labels) => void lines.push(`observe ${name} ${value} ${JSON.stringify(labels)}`),
		gauge(name, read) {
			gauges.set(name, read);
			return { [Symbol.dispose]: () => void gauges.delete(name) };
		},
		trace: () => undefined,
	};
	const log = (message: string, fields?: Readonly<Record<string, unknown>>): void =>
		void lines.push(`${message} ${JSON.stringify(fields)}`);
	const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
	return { lines, gauges, telemetry, logger };
}

test("hook: hooks of a name run in order, and a failing one is told and skipped", async () => {
	const { lines, telemetry, logger } = createRecorder();
	const hooks = createHookRunner({ telemetry, logger });
	const ran: string[] = [];
	hooks.register("a", "agent_end", async () => {
		await Promise.resolve();
		ran.push("first");
	});
	hooks.register("b", "agent_end", () => {
		throw new Error("no");
	});
	const third = hooks.register("a", "agent_end", (input) => void ran.push(String(input["status"])));
	hooks.register("a", "before_tool_call", () => void ran.push("never"));
	await hooks.run("agent_end", { status: "completed" });
	expect(ran).toEqual(["first", "completed"]);
	expect(lines).toEqual([
		'count hook_failures_total {"hook":"agent_end","owner":"b"}',
		'a hook failed and was skipped {"hook":"agent_end","owner":"b","error":"Error: no"}',
	]);
	third[Symbol.dispose]();
	hooks.unregisterOwner("b");
	await hooks.run("agent_end", { status: "again" });
	expect(ran).toEqual(["first", "completed", "first"]);
	expect(lines).toHaveLength(2);
});

test("hook: tool timing measures each call by tool and outcome, and counts those that run", async () => {
	const { lines, gauges, telemetry, logger } = createRecorder();
	const hooks = createHookRunner({ telemetry, logger });
	const timing = registerToolTiming(hooks, telemetry);
	const call = { callId: "c", tool: "exec_command" };
	await hooks.run("before_tool_call", call);
	expect(gauges.get("tool_calls_running")?.()).toBe(1);
	await hooks.run("after_tool_call", { ...call, success: false, durationMs: 12 });
	expect(gauges.get("tool_calls_running")?.()).toBe(0);
	expect(lines).toEqual(['observe tool_duration_ms 12 {"tool":"exec_command","outcome":"failure"}']);
	timing[Symbol.dispose]();
	await hooks.run("after_tool_call", { ...call, success: true, durationMs: 1 });
	expect(lines).toHaveLength(1);
	expect(gauges.size).toBe(0);
});
