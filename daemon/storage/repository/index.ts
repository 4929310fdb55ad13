import type { WriteCommand } from "../store.ts";
import { auditAppend } from "./audit.ts";
import { BUDGET_COMMANDS } from "./budget.ts";
import { CHAT_COMMANDS } from "./chat-command.ts";
import { rememberCallResult } from "./idempotency.ts";
import { metaSet } from "./meta.ts";
import { ROLLOUT_COMMANDS } from "./rollout-import.ts";
import { TERMINAL_COMMANDS } from "./terminal.ts";
import { WEAVE_COMMANDS } from "./weave-command.ts";

/** Every write of the product; the main thread names one, the writer thread looks it up here. */
export const WRITE_COMMANDS: readonly WriteCommand[] = [
	auditAppend,
	metaSet,
	rememberCallResult,
	...CHAT_COMMANDS,
	...WEAVE_COMMANDS,
	...TERMINAL_COMMANDS,
	...BUDGET_COMMANDS,
	...ROLLOUT_COMMANDS,
];
