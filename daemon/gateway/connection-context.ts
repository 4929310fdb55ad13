import type { Clock } from "#base/clock.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Gate } from "./gate.ts";
import type { Hub } from "./hub.ts";

/** What all connections of a gateway share. */
export interface ConnectionContext {
	readonly dispatcher: Dispatcher;
	readonly hub: Hub;
	readonly gate: Gate;
	readonly clock: Clock;
	readonly epoch: string;
	/** The daemon is stopping: nobody new is let in. */
	isDraining(): boolean;
}
