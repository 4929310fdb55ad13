/** What the cell's owner tells the worker thread. */
export type ToWorker =
	| {
			kind: "run";
			source: string;
			tools: readonly WorkerTool[];
			/** Values of earlier cells of the thread, as JSON. */
			stored: Readonly<Record<string, string>>;
			limits: SandboxLimits;
	  }
	| {
			kind: "settle";
			callId: number;
			ok: boolean /** JSON of the value, or the failure's text. */;
			value: string;
	  };

/** What the worker thread tells the cell's owner; output comes as it is made, so that a cell which hangs has shown it. */
export type FromWorker =
	| { kind: "output"; part: CellPart }
	| { kind: "notify"; text: string }
	| { kind: "yield" }
	| { kind: "store"; key: string; json: string }
	| {
			kind: "call";
			callId: number;
			tool: string /** JSON; absent when called without argument. */;
			input?: string;
	  }
	/** The script is over; `error` is null when it ended well. */
	| { kind: "done"; error: string | null }
	/** Everything of the last script is gone, the next may come. */
	| { kind: "idle" };

export interface WorkerTool {
	readonly name: string;
	readonly description: string;
}

export type CellPart = { type: "text"; text: string } | { type: "image"; url: string };

export interface SandboxLimits {
	/** Time that the script itself runs, waiting not counted. */
	cpuMs: number;
	/** Of everything it outputs, images included. */
	outputBytes: number;
}

export interface WorkerStart {
	/** Bound of all that the interpreter holds, itself included. */
	readonly memoryBytes: number;
}
