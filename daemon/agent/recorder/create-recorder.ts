import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import type { RecordedFact, RecordLine, RunRecorder, TurnRecording } from "./port.ts";
import { redactDeep, redactSecrets } from "./redact.ts";

/** Text kept back of one stream of pieces, so that a secret cut in two is seen whole. */
const PIECES_MAX_CHARS = 64 * 1024;

interface RecorderOptions {
	/** Made when the first recording is opened. */
	readonly folder: string;
	readonly clock: Clock;
	readonly logger: Logger;
}

interface Piece {
	readonly line: RecordLine;
	readonly text: string;
}

interface Run {
	readonly member: string;
	pieces: Piece[];
	sizeChars: number;
}

/** One line for each piece as it came, or one for all of them where only together they show a secret. */
function linesOf({ member, pieces }: Run): RecordLine[] {
	const whole = pieces.map((piece) => piece.text).join("");
	const [first] = pieces;
	if (first === undefined) return [];
	const clean = redactSecrets(whole);
	if (clean === whole) return pieces.map((piece) => ({ ...piece.line, [member]: piece.text }));
	return [{ ...first.line, [member]: clean, joined: pieces.length }];
}

/** Up to the last line break; what follows it may be the beginning of a secret. */
function splitAtLastLine(run: Run): { ready: Run; rest: Run } {
	const last = run.pieces.at(-1);
	const cut = (last?.text.lastIndexOf("\n") ?? -1) + 1;
	if (last === undefined || cut === 0) return { ready: run, rest: { ...run, pieces: [], sizeChars: 0 } };
	const [head, tail] = [last.text.slice(0, cut), last.text.slice(cut)];
	return {
		ready: { ...run, pieces: [...run.pieces.slice(0, -1), { ...last, text: head }] },
		rest: { ...run, pieces: tail === "" ? [] : [{ ...last, text: tail }], sizeChars: tail.length },
	};
}

function openRecording(path: string, { clock, logger }: RecorderOptions): TurnRecording {
	const file = createWriteStream(path, { flags: "a", mode: 0o600 });
	const runs = new Map<string, Run>();
	let lines = 0;
	let failed = false;
	file.on("error", (error) => {
		if (!failed) logger.warn("a recording could not be written", { path, error: String(error) });
		failed = true;
	});

	function stamp(fact: RecordedFact): RecordLine {
		lines += 1;
		return { n: lines, at_ms: clock.nowMs(), mono_ms: clock.monotonicMs(), ...fact };
	}
	function put(line: RecordLine): void {
		if (!failed) file.write(`${JSON.stringify(line)}\n`);
	}
	function flushPieces(): void {
		for (const run of runs.values()) for (const line of linesOf(run)) put(line);
		runs.clear();
	}

	return {
		write(fact) {
			flushPieces();
			put(stamp(redactDeep(fact)));
		},
		piece(key, member, fact) {
			const text = String(fact[member]);
			const run = runs.get(key) ?? { member, pieces: [], sizeChars: 0 };
			runs.set(key, run);
			run.pieces.push({ line: stamp(fact), text });
			run.sizeChars += text.length;
			if (run.sizeChars < PIECES_MAX_CHARS) return;
			const { ready, rest } = splitAtLastLine(run);
			for (const line of linesOf(ready)) put(line);
			runs.set(key, rest);
		},
		async [Symbol.asyncDispose]() {
			flushPieces();
			file.end();
			await finished(file).catch(() => undefined);
		},
	};
}

/** One NDJSON file per turn, 0600 in a folder 0700, secrets blanked. A recording that cannot be written is told once in the log and given up. */
export function createRecorder(options: RecorderOptions): RunRecorder {
	const nothing: TurnRecording = {
		write: () => undefined,
		piece: () => undefined,
		[Symbol.asyncDispose]: async () => undefined,
	};
	return {
		open({ threadId, turnId }) {
			try {
				mkdirSync(options.folder, { recursive: true, mode: 0o700 });
			} catch (error) {
				options.logger.warn("recordings have no folder", { path: options.folder, error: String(error) });
				return nothing;
			}
			const recording = openRecording(join(options.folder, `${turnId}.ndjson`), options);
			recording.write({ type: "recording", version: 1, thread_id: threadId, turn_id: turnId });
			return recording;
		},
	};
}
