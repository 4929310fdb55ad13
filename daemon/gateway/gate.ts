import { AppError } from "#base/app-error.ts";
import type { Clock } from "#base/clock.ts";
import type { Scope } from "#protocol/scope.ts";
import { type Asked, findGrant, type Grant } from "../policy/grant.ts";
import type { Logger } from "../telemetry/port.ts";
import { createFailureCount } from "./failure-count.ts";
import type { Caller } from "./handler.ts";

/** What is asked: the scope, what it is about, and its name for people. */
export interface Question {
	readonly scope: Scope;
	readonly asked: Asked;
	readonly what: string;
}

/** Where methods and topics are allowed or refused. */
export interface Gate {
	/** The grant that lets the caller do it. @throws AppError PERMISSION_DENIED naming the scope; refusals are logged. */
	pass(caller: Caller, question: Question): Grant;
	allows(caller: Caller, scope: Scope, asked: Asked): boolean;
}

/** Refusals of one identity within a minute that are logged; the rest would only fill the disk. */
const LOGGED_MAX = 20;

export function createGate({ clock, logger }: { clock: Clock; logger: Logger }): Gate {
	const refusals = createFailureCount(clock, LOGGED_MAX);

	function find(caller: Caller, scope: Scope, asked: Asked): Grant | undefined {
		return findGrant(caller.grants, scope, asked, clock.nowMs());
	}

	function audit(caller: Caller, { scope, asked, what }: Question): void {
		if (refusals.add(caller.identity) > LOGGED_MAX) return;
		const { identity, role, transport, label, clientId } = caller;
		logger.warn("request refused", {
			audit: true,
			reason: "grant",
			identity,
			role,
			transport,
			client: clientId,
			label,
			scope,
			resource: asked.slice(0, 200),
			what: what.slice(0, 200),
		});
	}

	return {
		pass(caller, question) {
			const { scope, asked, what } = question;
			const grant = find(caller, scope, asked);
			if (grant) return grant;
			audit(caller, question);
			const of = asked === "*" || asked === "own" ? "" : ` for ${asked.slice(0, 200)}`;
			throw new AppError("PERMISSION_DENIED", `${what} needs the scope ${scope}${of}.`, {
				data: { scope, resource: asked.slice(0, 200) },
			});
		},
		allows: (caller, scope, asked) => find(caller, scope, asked) !== undefined,
	};
}
