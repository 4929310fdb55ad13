import type { Migration } from "../store.ts";
import { core } from "./0001-core.ts";
import { weave } from "./0003-weave.ts";

/** All migrations, by rising version. */
export const MIGRATIONS: readonly Migration[] = [core, weave];
