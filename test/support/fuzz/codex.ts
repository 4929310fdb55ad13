import { METHODS } from "#protocol/codex/methods.generated.ts";
import { junkValue, pick, type Random } from "./random.ts";

/** Members that many methods have, so that some of what is sent gets past the first look. */
const MEMBERS = [
	...[
		"threadId",
		"turnId",
		"path",
		"cwd",
		"input",
		"command",
		"processId",
		"keyPath",
		"value",
		"mergeStrategy",
	],
	...[
		"name",
		"settings",
		"config",
		"query",
		"roots",
		"cursor",
		"limit",
		"sessionId",
		"expectedTurnId",
		"edits",
	],
	...["watchId", "dataBase64", "sandboxPolicy", "type", "url", "sourcePath", "destinationPath", "recursive"],
	...[
		"__proto__",
		"constructor",
		"prototype",
		"toString",
		"then",
		"id",
		"method",
		"decision",
		"capabilities",
	],
];

const deep = (levels: number): string => `${'{"a":['.repeat(levels)}${"]}".repeat(levels)}`;

function paramsOf(random: Random, known: readonly unknown[]): unknown {
	if (random(8) === 0) return junkValue(random);
	const params = Object.create(null) as Record<string, unknown>;
	for (let left = random(6); left > 0; left -= 1) {
		const value = random(3) === 0 ? pick(random, known) : junkValue(random);
		// Defined, so that `__proto__` is a member as JSON has it.
		Object.defineProperty(params, pick(random, MEMBERS), { value, enumerable: true, configurable: true });
	}
	return params;
}

/** One line that a hostile client of the Codex protocol says; `known` are values that mean something. */
export function codexShot(random: Random, id: number, known: readonly unknown[]): string {
	const method = pick(random, METHODS);
	const kind = random(40);
	if (kind === 0)
		return pick(random, ["", "{", "[]", "null", '"x"', "{}}", "\u0000", "NaN", '{"id":{}}', "[[[[["]);
	if (kind === 1) return `{"id":${id},"method":"${method}","params":${deep(1 + random(5_000))}}`;
	if (kind === 2) return JSON.stringify({ id, method: junkValue(random), params: {} });
	if (kind === 3)
		return JSON.stringify({ id: pick<unknown>(random, [0, "0", -1, 1e300]), result: junkValue(random) });
	if (kind === 4) return JSON.stringify({ id: random(50), error: junkValue(random) });
	if (kind === 5) return JSON.stringify({ method, params: paramsOf(random, known) });
	if (kind === 6) return JSON.stringify({ id: junkValue(random), method, params: paramsOf(random, known) });
	return JSON.stringify({ id, method, params: paramsOf(random, known) });
}
