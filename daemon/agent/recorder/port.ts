/** A line as the tap says it; number and times are added where it is written. */
export type RecordedFact = { readonly type: string; readonly [member: string]: unknown };

/** A line of a recording. Lines may stand a little out of order; `n` counts them in the order in which they happened. */
export interface RecordLine extends RecordedFact {
	readonly n: number;
	/** Wall clock, ms since 1970, and monotonic ms, both by the clock port. */
	readonly at_ms: number;
	readonly mono_ms: number;
	/** How many pieces of text were joined in this line, because only joined they showed a secret. */
	readonly joined?: number;
}

/** The recording of one turn. Neither method throws: a turn must not fail for its recording. */
export interface TurnRecording extends AsyncDisposable {
	write(fact: RecordedFact): void;
	/** A piece of a text that goes on in the next piece of the same `key`; `member` of the fact holds it. */
	piece(key: string, member: string, fact: RecordedFact): void;
}

/** Opens recordings; absent where nobody asked for any (flag `record_runs`). */
export interface RunRecorder {
	open(turn: { threadId: string; turnId: string }): TurnRecording;
}
