import type { Migration } from "../store.ts";
import { core } from "./0001-core.ts";
import { chat } from "./0002-chat.ts";
import { weave } from "./0003-weave.ts";

/** All migrations, by rising version. */
export const MIGRATIONS: readonly Migration[] = [core, chat, weave];
