import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startCommand } from "../conformance/app-server.ts";
import { INTENDED } from "../conformance/intended.ts";
import { judge } from "../conformance/judge.ts";
import { scenarioNames } from "../support/codex-fixture.ts";
import { createRandom } from "../support/fuzz/random.ts";

/** Another seed takes other scenarios; `npm run conformance` takes them all. */
const SEED = Number(process.env["CONFORMANCE_SEED"] ?? Math.floor(Date.now() / 86_400_000));
const COUNT = 6;
/** They wait for time-outs. */
const SLOW = /error-(429|conn|500)|exhausted|idle-timeout|lifecycle|misc/u;
/** In every subset: the way of most sessions. */
const ALWAYS = ["simple-text", "shell-approval-untrusted-accept"];

function subset(): string[] {
	const random = createRandom(SEED);
	const pool = scenarioNames().filter(
		(name) => !SLOW.test(name) && !(name in INTENDED) && !ALWAYS.includes(name),
	);
	const drawn = Array.from({ length: COUNT }, () => pool.splice(random(pool.length), 1)).flat();
	return [...ALWAYS, ...drawn];
}

const program = join(import.meta.dirname, "../../bin/weave-codex.js");

describe(`weave-codex app-server, without the real one (CONFORMANCE_SEED=${SEED})`, () => {
	const ours = startCommand([process.execPath, program, "app-server"]);

	test.concurrent.each(subset())(
		"codex: says and asks what the real server was recorded to in %s",
		async (name) => {
			expect((await judge(name, ours)).problems).toEqual([]);
		},
	);
});
