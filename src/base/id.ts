/** Makes ids; a port so that tests and replays get the same ones. */
export type NewId = () => string;

let lastMs = 0;
let counter = 0;

/**
 * UUIDv7 (RFC 9562): sorts by creation time; ids made by one process in one millisecond still sort in order of creation
 * (12-bit counter in rand_a; on overflow the time part is moved forward).
 */
export function newId(nowMs: number = Date.now()): string {
	if (nowMs > lastMs) {
		lastMs = nowMs;
		counter = 0;
	} else {
		counter += 1;
		if (counter > 0xfff) {
			lastMs += 1;
			counter = 0;
		}
	}
	const random = crypto.getRandomValues(new Uint8Array(8));
	random[0] = ((random[0] ?? 0) & 0x3f) | 0x80;
	const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
	const time = lastMs.toString(16).padStart(12, "0");
	const versioned = (0x7000 | counter).toString(16);
	return `${time.slice(0, 8)}-${time.slice(8)}-${versioned}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
