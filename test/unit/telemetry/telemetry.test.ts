import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AppError } from "#base/app-error.ts";
import { createFaultPoint } from "#daemon/telemetry/fault-point.ts";
import { createLogFile } from "#daemon/telemetry/log-file.ts";
import { createLogger } from "#daemon/telemetry/logger.ts";
import { createTelemetry } from "#daemon/telemetry/metrics.ts";
import { redactFields, redactText } from "#daemon/telemetry/redact.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";

describe("telemetry", () => {
	it("telemetry: metrics are Prometheus text with one TYPE line per name", () => {
		const telemetry = createTelemetry({ clock: createFakeClock(), traceSpans: true });
		telemetry.count("requests_total", 2, { method: 'a"b' });
		telemetry.count("requests_total", 1, { method: "c" });
		for (const value of [1, 2, 3, 400]) telemetry.observe("commit_ms", value);
		telemetry.observe("commit_ms", Number.NaN);
		const depth = telemetry.gauge("queue_depth", () => 7);
		const text = telemetry.renderMetrics();
		expect(text.match(/# TYPE weave_requests_total counter/g)).toHaveLength(1);
		expect(text).toContain('weave_requests_total{method="a\\"b"} 2\nweave_requests_total{method="c"} 1\n');
		expect(text).toContain("weave_queue_depth 7\n");
		expect(text).toContain("weave_commit_ms_sum 406\nweave_commit_ms_count 4\n");
		const median = Number(/weave_commit_ms\{quantile="0.5"\} (\S+)/.exec(text)?.[1]);
		expect(Math.abs(median - 2)).toBeLessThan(0.1);
		depth[Symbol.dispose]();
		expect(telemetry.renderMetrics()).not.toContain("queue_depth");
	});

	it("telemetry: series of a wild label are dropped and counted", () => {
		const telemetry = createTelemetry({ clock: createFakeClock(), traceSpans: true });
		for (let n = 0; n < 2100; n += 1) telemetry.count("wild_total", 1, { id: String(n) });
		expect(telemetry.renderMetrics()).toContain("weave_telemetry_series_dropped_total 100\n");
	});

	it("telemetry: the ring keeps the newest 2,000 lines, none when the flag is off", () => {
		const telemetry = createTelemetry({ clock: createFakeClock(5), traceSpans: true });
		for (let n = 0; n < 2005; n += 1) telemetry.trace("turn", "step", { n });
		const lines = telemetry.traceLines();
		expect([lines.length, lines[0], lines.at(-1)]).toEqual([
			2000,
			'5|turn|step|{"n":5}',
			'5|turn|step|{"n":2004}',
		]);
		const off = createTelemetry({ clock: createFakeClock(5), traceSpans: false });
		off.trace("turn", "step");
		expect(off.traceLines()).toEqual([]);
	});
});

describe("logs", () => {
	it("logs: secrets in keys, texts and errors do not reach the file", async () => {
		const folder = await mkdtemp(join(tmpdir(), "log-"));
		const path = join(folder, "logs", "daemon.log");
		using file = createLogFile({ path });
		const logger = createLogger({ sinks: [file] });
		const error = new AppError("PROVIDER_AUTH", "refused sk-abcdef123456", {
			cause: new Error("Authorization: Bearer abc.def.ghi"),
		});
		logger.child({ access_token: "SECRET1" }).warn("url https://bob:SECRET2@host/?token=SECRET3", {
			headers: { Authorization: "Bearer SECRET4", accept: "x" },
			nested: [{ api_key: "SECRET5" }],
			input_tokens: 12,
			error,
		});
		logger.debug("not at this level");
		const text = readFileSync(path, "utf8");
		expect(text).not.toMatch(/SECRET|abcdef123456|abc\.def|at .*\.ts/);
		const line = JSON.parse(text) as Record<string, unknown>;
		expect(line).toMatchObject({
			level: "warn",
			input_tokens: 12,
			headers: { accept: "x" },
			error: { code: "PROVIDER_AUTH" },
		});
		expect(statSync(path).mode & 0o777).toBe(0o600);
		await rm(folder, { recursive: true, force: true });
	});

	it("logs: an object that refers to itself or is very long is cut", () => {
		const loop: Record<string, unknown> = { text: "x".repeat(20_000) };
		loop["self"] = loop;
		const out = JSON.stringify(redactFields(loop));
		expect(out.length).toBeLessThan(60_000);
		expect(out).toContain("[deep]");
		expect(redactText("the token was renewed and 3 tokens: 12")).toBe(
			"the token was renewed and 3 tokens: 12",
		);
	});

	it("logs: files rotate by size and the oldest goes", async () => {
		const folder = await mkdtemp(join(tmpdir(), "log-"));
		const path = join(folder, "daemon.log");
		{
			using file = createLogFile({ path, maxBytes: 100, keep: 2 });
			for (let n = 0; n < 30; n += 1) file.write(`line ${String(n).padStart(2, "0")} ..........\n`);
			expect(file.lostLines).toBe(0);
		}
		expect(readdirSync(folder).sort()).toEqual(["daemon.log", "daemon.log.1", "daemon.log.2"]);
		expect(readFileSync(path, "utf8").trim().split("\n").at(-1)).toMatch(/^line 29/);
		expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(100);
		await rm(folder, { recursive: true, force: true });
	});
});

describe("fault points", () => {
	it("fault point: fires once, at the nth call of its name", () => {
		const point = createFaultPoint({ WEAVE_FAULT: "a.b:2=throw" });
		point("a.b");
		point("other");
		expect(() => point("a.b")).toThrow("fault point a.b");
		point("a.b");
		expect(() => createFaultPoint({ WEAVE_FAULT: "a b" })).toThrow("WEAVE_FAULT");
		createFaultPoint({})("a.b");
	});
});
