import type { BenchRow } from "../bench.ts";
import { startupRows } from "./startup.ts";

/** Every row that exists so far, in the order of contracts.md section 6. */
export const rows: readonly BenchRow[] = [...startupRows];
