import type { z } from "zod";
import { accountMethods } from "./account.ts";
import { backgroundMethods } from "./background.ts";
import { budgetMethods } from "./budget.ts";
import { chatMethods } from "./chat.ts";
import { daemonMethods } from "./daemon.ts";
import { eventsMethods } from "./events.ts";
import { rolloutMethods } from "./rollout.ts";
import { terminalMethods } from "./terminal.ts";
import { weaveMethods } from "./weave.ts";

/** Every method of the gateway. */
export const METHODS = [
	...daemonMethods,
	...eventsMethods,
	...chatMethods,
	...accountMethods,
	...budgetMethods,
	...rolloutMethods,
	...backgroundMethods,
	...terminalMethods,
	...weaveMethods,
] as const;

type AnyMethod = (typeof METHODS)[number];
export type MethodName = AnyMethod["name"];
export type MethodByName<Name extends MethodName> = Extract<AnyMethod, { name: Name }>;
/** What a caller passes (defaults may be left out). */
export type MethodInput<Name extends MethodName> = z.input<MethodByName<Name>["params"]>;
/** What a handler receives (defaults filled in). */
export type MethodParams<Name extends MethodName> = z.output<MethodByName<Name>["params"]>;
export type MethodResult<Name extends MethodName> = z.output<MethodByName<Name>["result"]>;
