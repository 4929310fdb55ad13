import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandActions } from "#daemon/agent/tool/command/action/actions.ts";
import { displayCommand } from "#daemon/agent/tool/command/display.ts";
import { parsePlainCommands } from "#daemon/policy/shell/plain.ts";

/** Recorded from codex 0.169.0: each command asked for with escalation, `prefix` is what it proposed to allow. */
interface Recorded {
	cmd: string;
	shown: string;
	actions: Record<string, unknown>[];
	prefix: string[];
}
const FIXTURE = join(import.meta.dirname, "../../../fixture/codex-command-actions.json");
const recorded = JSON.parse(readFileSync(FIXTURE, "utf8")) as Recorded[];

describe("command actions", () => {
	test("command actions: as the real server shows them when recorded commands are summarised", () => {
		const got = recorded.map(({ cmd }) => ({
			cmd,
			actions: commandActions(["/bin/bash", "-lc", cmd], "/work/demo"),
		}));
		expect(got).toEqual(recorded.map(({ cmd, actions }) => ({ cmd, actions })));
	});

	test("command actions: the line shown is the real server's when recorded commands are displayed", () => {
		const got = recorded.map(({ cmd }) => displayCommand(["/bin/bash", "-lc", cmd]));
		expect(got).toEqual(recorded.map(({ shown }) => shown));
	});

	test("plain commands: the first one is what the real server proposed when recorded commands are split", () => {
		const got = recorded.map(({ cmd }) => parsePlainCommands(cmd)?.[0] ?? ["/bin/bash", "-lc", cmd]);
		expect(got).toEqual(recorded.map(({ prefix }) => prefix));
	});
});
