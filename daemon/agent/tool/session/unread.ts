/** Most output of one command that waits to be read by the model; beyond it the middle is dropped. */
const LIMIT_CHARS = 1024 * 1024;

export interface UnreadText {
	readonly text: string;
	/** All that was printed since the last look, kept or not. */
	readonly bytes: number;
	readonly omittedBytes: number;
}

/** Output that the model has not read yet, in bounded memory. */
export interface Unread {
	push(chunk: string): void;
	/** Everything since the last call. */
	take(): UnreadText;
}

export function createUnread(): Unread {
	let head = "";
	let tail = "";
	let bytes = 0;
	return {
		push(chunk) {
			bytes += Buffer.byteLength(chunk);
			const room = LIMIT_CHARS / 2 - head.length;
			if (room > 0) {
				head += chunk.slice(0, room);
				tail = chunk.slice(room);
			} else tail += chunk;
			// Cut at twice the size, so that a flood is not copied with each chunk.
			if (tail.length > LIMIT_CHARS) tail = tail.slice(-LIMIT_CHARS / 2);
		},
		take() {
			const kept = tail.length > LIMIT_CHARS / 2 ? tail.slice(-LIMIT_CHARS / 2) : tail;
			const text = head + kept;
			const taken = { text, bytes, omittedBytes: Math.max(0, bytes - Buffer.byteLength(text)) };
			head = "";
			tail = "";
			bytes = 0;
			return taken;
		},
	};
}
