import type { BenchRow } from "../bench.ts";
import { appServerRows } from "./app-server.ts";
import { appServerStartRow } from "./app-server-start.ts";
import { busRows } from "./bus.ts";
import { hubRows } from "./hub.ts";
import { loopRows } from "./loop.ts";
import { startupRows } from "./startup.ts";
import { terminalRows } from "./terminal.ts";
import { tuiRows } from "./tui.ts";

/** Every row that exists so far, in the order of contracts.md section 6. */
export const rows: readonly BenchRow[] = [
	...startupRows,
	...terminalRows,
	...busRows,
	...hubRows,
	...loopRows,
	appServerStartRow,
	...appServerRows,
	...tuiRows,
];
