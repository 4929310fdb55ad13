import { ROLE_SCOPES, type Role, type Scope } from "#protocol/scope.ts";

/** What a grant can be about; `machine` is for the nodes to come and matches nothing that this machine asks of itself. */
export const RESOURCE_KINDS = ["session", "thread", "terminal", "machine"] as const;
type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** Everything, or one thing by its id; names are not ids and match no grant. */
export type Resource = "*" | `${ResourceKind}:${string}`;

/** One thing a caller may do (contracts.md 5). */
export interface Grant {
	readonly scope: Scope;
	readonly resource: Resource;
	/** Wall clock; from then on the grant is worth nothing. Null: until it is taken away. */
	readonly expires_at_ms: number | null;
}

/**
 * What a call is about. `own`: something of the calling connection itself (its channels, its subscriptions), which
 * whoever holds the scope for anything may touch. `*`: all of a kind, or nothing that can be named.
 */
export type Asked = Resource | "own";

/** Parameters and topic parameters that name what a call is about. */
const KIND_OF_PARAMETER: Readonly<Record<string, ResourceKind>> = {
	thread_id: "thread",
	terminal: "terminal",
	terminal_id: "terminal",
	session: "session",
	session_id: "session",
	machine_id: "machine",
};

/** The grants of a role: each of its scopes, for everything, without end. */
export function grantsOfRole(role: Role): readonly Grant[] {
	return ROLE_SCOPES[role].map((scope) => ({ scope, resource: "*", expires_at_ms: null }));
}

/** What `value` of the parameter `name` names; undefined when it names no resource. */
function resourceOf(name: string, value: unknown): Resource | undefined {
	if (!Object.hasOwn(KIND_OF_PARAMETER, name) || value === undefined) return undefined;
	const kind = KIND_OF_PARAMETER[name];
	return kind !== undefined && typeof value === "string" && value !== "" ? `${kind}:${value}` : "*";
}

/** What a topic is about: what its parameter names, else everything. */
export function resourceOfTopic(parameterName: string | undefined, value: string): Resource {
	return parameterName === undefined ? "*" : (resourceOf(parameterName, value) ?? "*");
}

/**
 * Everything that parsed params name; each must be allowed. Params that name nothing are about all there is, unless
 * the method is about the calling connection.
 */
export function resourcesOfParams(params: unknown, isConnectionOnly: boolean): readonly Asked[] {
	const entries = typeof params === "object" && params !== null ? Object.entries(params) : [];
	const named = entries.flatMap(([name, value]) => resourceOf(name, value) ?? []);
	if (named.length > 0) return named;
	return [isConnectionOnly ? "own" : "*"];
}

function lastsLonger(one: Grant, other: Grant): boolean {
	if (other.expires_at_ms === null) return false;
	return one.expires_at_ms === null || one.expires_at_ms > other.expires_at_ms;
}

/** The grant that allows it, the longest-lasting of several; undefined when none does. */
export function findGrant(
	grants: readonly Grant[],
	scope: Scope,
	asked: Asked,
	nowMs: number,
): Grant | undefined {
	let found: Grant | undefined;
	for (const grant of grants) {
		if (grant.scope !== scope) continue;
		if (grant.expires_at_ms !== null && !(nowMs < grant.expires_at_ms)) continue;
		if (grant.resource !== "*" && asked !== "own" && grant.resource !== asked) continue;
		if (!found || lastsLonger(grant, found)) found = grant;
	}
	return found;
}

/** The one check of methods, topics and handlers: false unless a grant says otherwise. */
export function allows(grants: readonly Grant[], scope: Scope, asked: Asked, nowMs: number): boolean {
	return findGrant(grants, scope, asked, nowMs) !== undefined;
}
