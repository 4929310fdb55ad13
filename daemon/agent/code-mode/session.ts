import { createDeferred } from "#base/deferred.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import { type Cell, type CellPorts, startCell } from "./cell.ts";
import type { NestedTool } from "./nested.ts";

/** Scripts of one thread that still run, at most; more are refused. */
export const RUNNING_MAX = 8;

/** What the scripts of one thread share, over its turns; gone with the daemon, as with the real server. */
export interface CodeSession extends Disposable {
	readonly running: number;
	find(cellId: string): Cell | undefined;
	start(source: string, tools: readonly NestedTool[]): Cell;
	/** A cell that was reported to its end. */
	close(cell: Cell): void;
	/** While it is not disposed, calls of the thread's scripts go to this context. */
	attach(context: ToolContext): Disposable;
}

export function createCodeSession(ports: Pick<CellPorts, "pool" | "newId" | "limits">): CodeSession {
	const cells = new Map<string, Cell>();
	const stored = new Map<string, string>();
	const contexts: ToolContext[] = [];
	let someone = createDeferred<void>();
	let serial = 0;

	async function attached(): Promise<ToolContext> {
		for (;;) {
			const context = contexts.at(-1);
			if (context !== undefined) return context;
			await someone.promise;
		}
	}

	function endAll(): void {
		for (const cell of cells.values()) cell.end();
		cells.clear();
	}

	return {
		get running() {
			return [...cells.values()].filter((cell) => cell.state === "running").length;
		},
		find: (cellId) => cells.get(cellId),
		start(source, tools) {
			serial += 1;
			const cell = startCell({ id: String(serial), source, tools }, { ...ports, stored, attached });
			cells.set(cell.id, cell);
			return cell;
		},
		close: (cell) => void cells.delete(cell.id),
		attach(context) {
			contexts.push(context);
			someone.resolve();
			// An interrupted turn takes with it what its scripts still do, also those that run beside it.
			context.signal.addEventListener("abort", endAll, { once: true });
			return {
				[Symbol.dispose]() {
					contexts.splice(contexts.indexOf(context), 1);
					if (contexts.length === 0) someone = createDeferred<void>();
					if (cells.size === 0) context.signal.removeEventListener("abort", endAll);
				},
			};
		},
		[Symbol.dispose]: endAll,
	};
}
