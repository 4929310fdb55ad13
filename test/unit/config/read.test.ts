import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configKey, parseConfigValue, readConfig } from "#config/read.ts";
import { writeConfig } from "#config/write.ts";

let dir: string;
let path: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "wc-config-"));
	path = join(dir, "config.json");
});
afterEach(() => {
	rmSync(dir, { recursive: true });
});

describe("settings", () => {
	test("the environment goes over the file, the file over the default, and each says where it comes from", () => {
		expect(readConfig(path, {}).get("log.level")).toBe("info");
		writeConfig(path, configKey("log.level"), "debug");
		writeConfig(path, configKey("gateway.port"), 9810);
		const config = readConfig(path, { HOMIE_PORT: "9811" });
		expect([config.get("log.level"), config.source("log.level")]).toEqual(["debug", "file"]);
		expect([config.get("gateway.port"), config.source("gateway.port")]).toEqual([9811, "environment"]);
		expect([config.get("gateway.web"), config.source("gateway.web")]).toEqual([true, "default"]);
		writeConfig(path, configKey("log.level"), undefined);
		expect(readConfig(path, {}).source("log.level")).toBe("default");
	});

	test.each([
		["gateway.port", "abc", /a number from 1 to 65535, not abc/],
		["gateway.port", "", /a number from 1/],
		["gateway.port", "70000", /a number from 1/],
		["gateway.web", "maybe", /true or false/],
		["log.level", "loud", /one of debug, info/],
		["terminal.prefix", "zzz", /a control key such as \^\]/],
		["terminal.prefix", "^C", /a control key/],
		["terminal.prefix", "^[", /a control key/],
	] as const)("%s refuses %j and says what it takes", (name, text, message) => {
		expect(() => parseConfigValue(configKey(name), text)).toThrow(message);
		expect(() => parseConfigValue(configKey(name), text)).toThrow(
			expect.objectContaining({ code: "CONFIG_INVALID", data: { typed: true } }),
		);
	});

	test.each(["^]", "^A", "C-a", "c-B", "C-\\", "^_"])("terminal.prefix takes %s", (text) => {
		expect(parseConfigValue(configKey("terminal.prefix"), text)).toBe(text);
	});

	test("a wrong value in the file or the environment names its place", () => {
		writeFileSync(path, '{"log":{"level":"loud"}}');
		expect(() => readConfig(path, {}).get("log.level")).toThrow(path);
		expect(() => readConfig(path, { HOMIE_PORT: "x" }).get("gateway.port")).toThrow("$HOMIE_PORT");
		writeFileSync(path, "{");
		expect(() => readConfig(path, {})).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
	});

	test("a file that cannot be written is no fault of its contents", () => {
		writeFileSync(join(dir, "file"), "");
		expect(() => writeConfig(join(dir, "file", "config.json"), configKey("log.level"), "debug")).toThrow(
			expect.objectContaining({ code: "HOME_NOT_WRITABLE" }),
		);
	});
});
