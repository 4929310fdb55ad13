import type { Item, TokenUsage, TurnError } from "#protocol/codex-item.ts";

/** What one side said, one line per event; both sides are written down by the same code, so lines compare as they are. */
export interface Trace {
	started(item: Item): void;
	completed(item: Item): void;
	/** Deltas that follow each other are one line: how a text is cut into pieces means nothing. */
	delta(kind: "message" | "reasoning", itemId: string, delta: string): void;
	approval(kind: string, state: string): void;
	usage(usage: TokenUsage): void;
	error(error: TurnError, willRetry: boolean): void;
	/** Only the last is kept: how often it is told again means nothing. */
	diff(text: string): void;
	turn(state: string, error?: TurnError | null): void;
	/** Command output that was told live; how much of it is, is up to chance on both sides. */
	output(delta: string): void;
	readonly liveOutput: string;
	lines(): string[];
	lastDiff(): string;
	/** Resolves when the lines satisfy it. */
	until(check: (lines: readonly string[]) => boolean): Promise<void>;
}

interface Line {
	text: string;
	deltaOf?: string;
}

function describe(item: Item): string {
	switch (item.type) {
		case "userMessage":
			return JSON.stringify(item.content.map((part) => part.text).join(""));
		case "agentMessage":
			return `${item.phase ?? "-"} ${JSON.stringify(item.text)}`;
		case "reasoning":
			return JSON.stringify(item.summary);
		case "commandExecution": {
			const { status, source, exitCode, aggregatedOutput, command, cwd } = item;
			return `${status} ${source} exit=${exitCode} ${JSON.stringify(aggregatedOutput)} [${command}] in ${cwd}`;
		}
		case "fileChange":
			return `${item.status} ${JSON.stringify(item.changes.map(({ path, kind, diff }) => [path, kind, diff]))}`;
		default:
			return JSON.stringify(item);
	}
}

/** Words for people are each side's own; numbers of attempts and what the provider said are not. */
function describeError({ message, codexErrorInfo }: TurnError): string {
	const attempt = /^Reconnecting\.\.\. \d+\/\d+/.exec(message)?.[0];
	return `${JSON.stringify(codexErrorInfo)}${attempt === undefined ? "" : ` ${attempt}`}`;
}

/** `normalize` takes out what differs from run to run. */
export function createTrace(normalize: (text: string) => string): Trace {
	const told: Line[] = [];
	const watchers = new Set<() => void>();
	let diff = "";
	let liveOutput = "";

	const lines = (): string[] => told.map((line) => normalize(line.text));

	function wake(): void {
		for (const watcher of [...watchers]) watcher();
	}

	function say(text: string): void {
		told.push({ text });
		wake();
	}

	return {
		started: (item) => say(`+ ${item.type} ${describe(item)}`),
		completed: (item) => say(`= ${item.type} ${describe(item)}`),
		delta(kind, itemId, delta) {
			const last = told.at(-1);
			const deltaOf = `${kind}/${itemId}`;
			if (last?.deltaOf === deltaOf) last.text += delta;
			else told.push({ text: `~ ${kind} ${delta}`, deltaOf });
			wake();
		},
		approval: (kind, state) => say(`? ${kind} ${state}`),
		usage: ({ total, last, modelContextWindow }) =>
			say(`# usage ${JSON.stringify([total, last, modelContextWindow])}`),
		error: (error, willRetry) => say(`! ${willRetry ? "retry" : "final"} ${describeError(error)}`),
		diff(text) {
			diff = text;
		},
		turn: (state, error) => say(`turn ${state}${error ? ` ${describeError(error)}` : ""}`),
		output(delta) {
			liveOutput += delta;
			wake();
		},
		get liveOutput() {
			return liveOutput;
		},
		lines,
		lastDiff: () => normalize(diff),
		until: (check) =>
			new Promise((resolve) => {
				function look(): void {
					if (!check(lines())) return;
					watchers.delete(look);
					resolve();
				}
				watchers.add(look);
				look();
			}),
	};
}

/** Ids, times, folders and ports, which are new in each run. */
export function normalizer(places: ReadonlyMap<string, string>): (text: string) => string {
	return (text) => {
		let out = text;
		for (const [place, name] of places) out = out.replaceAll(place, name);
		return out
			.replaceAll(/Chunk ID: \w+/g, "Chunk ID: <id>")
			.replaceAll(/Wall time: [\d.]+ seconds?/g, "Wall time: <s> seconds")
			.replaceAll(/127\.0\.0\.1:\d+/g, "<model>")
			.replaceAll(/\bindex [0-9a-f]{7,40}\.\.[0-9a-f]{7,40}/g, "index <hashes>");
	};
}
