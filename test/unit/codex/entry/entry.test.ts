import { describe, expect, test } from "vitest";
import { parseTomlValue } from "#daemon/agent/provider/toml.ts";
import { parseListenAddress } from "#daemon/codex/entry/listen-address.ts";
import { overrideLine, parseOverrides } from "#daemon/codex/entry/override.ts";

describe("app-server words", () => {
	test("app-server: --listen is understood as the real one does", () => {
		expect(parseListenAddress("stdio://")).toEqual({ kind: "stdio" });
		expect(parseListenAddress("unix://")).toEqual({ kind: "unix", path: null });
		expect(parseListenAddress("unix:///tmp/x.sock")).toEqual({ kind: "unix", path: "/tmp/x.sock" });
		expect(parseListenAddress("ws://127.0.0.1:0")).toEqual({ kind: "tcp", host: "127.0.0.1", port: 0 });
		expect(parseListenAddress("ws://[::1]:80")).toEqual({ kind: "tcp", host: "::1", port: 80 });
		expect(parseListenAddress("off")).toEqual({ kind: "off" });
		for (const wrong of ["http://x", "ws://host:1", "ws://127.0.0.1:70000", "ws://127.0.0.1"])
			expect(() => parseListenAddress(wrong)).toThrow("unsupported --listen URL");
	});

	test("app-server: -c, --enable and --disable become values of config.toml", () => {
		const words = {
			config: ["model=gpt-5.5", 'a.b=["x", 1]', 'name="q"', "on=true"],
			enable: ["memories"],
			disable: ["goals"],
		};
		expect(parseOverrides(words, parseTomlValue)).toEqual({
			model: "gpt-5.5",
			"a.b": ["x", 1],
			name: "q",
			on: true,
			"features.memories": true,
			"features.goals": false,
		});
		expect(() => parseOverrides({ config: ["model"], enable: [], disable: [] }, parseTomlValue)).toThrow(
			"-c takes key=value",
		);
	});

	test("app-server: overrides lie below what the client says, in the requests that open a thread alone", () => {
		const start = JSON.stringify({ id: 1, method: "thread/start", params: { config: { model: "own" } } });
		expect(JSON.parse(overrideLine(start, { model: "x", a: 1 }))).toEqual({
			id: 1,
			method: "thread/start",
			params: { config: { model: "own", a: 1 } },
		});
		const turn = '{"id":2,"method":"turn/start","params":{"text":"thread/start"}}';
		expect(overrideLine(turn, { model: "x" })).toBe(turn);
		expect(overrideLine('not json "thread/start"', { model: "x" })).toBe('not json "thread/start"');
	});
});
