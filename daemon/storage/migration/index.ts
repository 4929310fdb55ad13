import type { Migration } from "../store.ts";
import { core } from "./0001-core.ts";
import { chat } from "./0002-chat.ts";
import { weave } from "./0003-weave.ts";
import { terminal } from "./0004-terminal.ts";
import { chatOrigin } from "./0005-chat-origin.ts";
import { codex } from "./0006-codex.ts";
import { budget } from "./0007-budget.ts";
import { rollout } from "./0008-rollout.ts";

/** All migrations, by rising version. */
export const MIGRATIONS: readonly Migration[] = [
	core,
	chat,
	weave,
	terminal,
	chatOrigin,
	codex,
	budget,
	rollout,
];
