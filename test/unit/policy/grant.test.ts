import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	type Asked,
	allows,
	findGrant,
	type Grant,
	grantsOfRole,
	RESOURCE_KINDS,
	type Resource,
	resourceOfTopic,
	resourcesOfParams,
} from "#daemon/policy/grant.ts";
import { ROLE_SCOPES, ROLES, SCOPES } from "#protocol/scope.ts";

const NOW = 1_000_000;

function grant(changes: Partial<Grant> = {}): Grant {
	return { scope: "chat.read", resource: "*", expires_at_ms: null, ...changes };
}

const ids = fc.oneof(
	fc.constantFrom("a", "b", "*", "own", "__proto__"),
	fc.string({ minLength: 1, maxLength: 8 }),
);
const resources: fc.Arbitrary<Resource> = fc.oneof(
	fc.constant<Resource>("*"),
	fc.tuple(fc.constantFrom(...RESOURCE_KINDS), ids).map(([kind, id]): Resource => `${kind}:${id}`),
);
const asks: fc.Arbitrary<Asked> = fc.oneof(resources, fc.constant<Asked>("own"));
const scopes = fc.constantFrom(...SCOPES);
const grants = fc.array(
	fc.record({
		scope: scopes,
		resource: resources,
		expires_at_ms: fc.option(fc.integer({ min: NOW - 5, max: NOW + 5 }), { nil: null }),
	}),
	{ maxLength: 6 },
);

describe("grants", () => {
	test("grants: allow only their scope, their thing and their time", () => {
		const one = [grant({ resource: "thread:t1", expires_at_ms: NOW + 1 })];
		expect(allows(one, "chat.read", "thread:t1", NOW)).toBe(true);
		expect(allows(one, "chat.write", "thread:t1", NOW)).toBe(false);
		expect(allows(one, "chat.read", "thread:t2", NOW)).toBe(false);
		expect(allows(one, "chat.read", "terminal:t1", NOW)).toBe(false);
		expect(allows(one, "chat.read", "*", NOW)).toBe(false);
		expect(allows(one, "chat.read", "own", NOW)).toBe(true);
		expect(allows(one, "chat.read", "thread:t1", NOW + 1)).toBe(false);
		expect(allows([], "chat.read", "own", NOW)).toBe(false);
		expect(allows([grant({ expires_at_ms: Number.NaN })], "chat.read", "*", NOW)).toBe(false);
	});

	test("grants: are found by the longest-lasting when several allow", () => {
		const list = [
			grant({ expires_at_ms: NOW + 5 }),
			grant({ expires_at_ms: NOW + 9 }),
			grant({ scope: "chat.write" }),
		];
		expect(findGrant(list, "chat.read", "own", NOW)?.expires_at_ms).toBe(NOW + 9);
		expect(findGrant([...list, grant()], "chat.read", "thread:x", NOW)?.expires_at_ms).toBe(null);
	});

	test("grants: of a role are its scopes for everything, and none for a device or a node", () => {
		for (const role of ROLES) {
			const held = grantsOfRole(role);
			for (const scope of SCOPES)
				expect(allows(held, scope, "*", NOW), `${role} ${scope}`).toBe(ROLE_SCOPES[role].includes(scope));
		}
		expect(grantsOfRole("device")).toEqual([]);
		expect(grantsOfRole("node")).toEqual([]);
	});

	test("grants: are asked for what parameters name, for all when they name nothing", () => {
		expect(resourcesOfParams({ thread_id: "t" }, false)).toEqual(["thread:t"]);
		expect(resourcesOfParams({ terminal: "x", cols: 3 }, false)).toEqual(["terminal:x"]);
		expect(resourcesOfParams({ session: "s", agent: "a" }, false)).toEqual(["session:s"]);
		expect(resourcesOfParams({ thread_id: "t", session: "s" }, true)).toEqual(["thread:t", "session:s"]);
		expect(resourcesOfParams({ session: undefined }, false)).toEqual(["*"]);
		expect(resourcesOfParams({ thread_id: 7 }, true)).toEqual(["*"]);
		expect(resourcesOfParams({ thread_id: "" }, false)).toEqual(["*"]);
		expect(resourcesOfParams({ channel: 1 }, true)).toEqual(["own"]);
		expect(resourcesOfParams(null, false)).toEqual(["*"]);
		expect(resourcesOfParams(JSON.parse('{"__proto__":"x","constructor":"y"}'), false)).toEqual(["*"]);
		expect(resourceOfTopic("thread_id", "t")).toBe("thread:t");
		expect(resourceOfTopic("session_id", "s")).toBe("session:s");
		expect(resourceOfTopic("no_such_kind", "s")).toBe("*");
		expect(resourceOfTopic(undefined, "")).toBe("*");
	});

	test("grants: never allow more with fewer grants, nor later what they refuse now (property)", () => {
		fc.assert(
			fc.property(grants, scopes, asks, fc.nat(6), (held, scope, asked, drop) => {
				const fewer = held.filter((_one, index) => index !== drop);
				if (!allows(held, scope, asked, NOW)) {
					expect(allows(fewer, scope, asked, NOW)).toBe(false);
					expect(allows(held, scope, asked, NOW + 1)).toBe(false);
				}
			}),
		);
	});

	test("grants: allow exactly what one living grant of the scope covers (property)", () => {
		fc.assert(
			fc.property(grants, scopes, asks, (held, scope, asked) => {
				const covering = held.filter(
					(one) =>
						one.scope === scope &&
						(one.expires_at_ms === null || one.expires_at_ms > NOW) &&
						(asked === "own" || one.resource === "*" || one.resource === asked),
				);
				expect(allows(held, scope, asked, NOW)).toBe(covering.length > 0);
			}),
		);
	});
});
