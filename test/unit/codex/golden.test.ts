import { describe, expect, test } from "vitest";
import { compareTranscripts } from "#test/support/codex-compare.ts";
import { driveScenario } from "#test/support/codex-drive.ts";
import { readGolden, readScenario, startInProcess } from "#test/support/codex-fixture.ts";

/** Those about the protocol itself; the conformance run takes the whole app-server through all of them. */
const SCENARIOS = [
	"simple-text",
	"multi-turn",
	"steer",
	"interrupt-midstream",
	"patch-approval-accept",
	"patch-approval-decline",
	"error-400",
	"stream-drop-retry",
	"reasoning-text",
	"thread-lifecycle",
];

describe("codex facade", () => {
	test.each(SCENARIOS)(
		"codex: tells a client what the real server tells when it goes through %s",
		async (name) => {
			const { rows } = await driveScenario(readScenario(name), startInProcess);
			expect(compareTranscripts(readGolden(name), rows)).toEqual([]);
		},
	);
});
