/** A seeded source of numbers in [0, 1) (mulberry32), so that a failing stream can be replayed by its seed. */
export function createSeededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}

/** Terminal output as programs make it, and stranger: text, wide characters, colours, movement, margins, modes, both screens. */
export function randomEscapeStream(seed: number, pieces: number): string {
	const random = createSeededRandom(seed);
	const int = (max: number): number => Math.floor(random() * max);
	const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
	const words = ["hello", "wörld", "日本語", "🙂", "é", "ls -la", "----", "x", "   ", "\t"];
	const makers: (() => string)[] = [
		() => pick(words),
		() => pick(words),
		() => `${pick(words)}\r\n`,
		() => "w".repeat(int(200)),
		() => pick(["\n", "\r", "\b", "\t", "\r\n", "\r\n"]),
		() => `\x1b[${int(30)};${int(90)}H`,
		() => `\x1b[${int(5)}${pick(["A", "B", "C", "D", "E", "F", "G", "d"])}`,
		() => `\x1b[${pick([0, 1, 2, 3, 4, 7, 8, 9, 22, 23, 24, 27, 39, 49, 53])}m`,
		() => `\x1b[${30 + int(8)};${40 + int(8)}m`,
		() => `\x1b[38;5;${int(256)}m`,
		() => `\x1b[48;2;${int(256)};${int(256)};${int(256)}m`,
		() => "\x1b[m",
		() => `\x1b[${int(3)}${pick(["J", "K"])}`,
		() => `\x1b[${1 + int(4)}${pick(["L", "M", "P", "@", "X", "S", "T"])}`,
		() => `\x1b[${1 + int(10)};${11 + int(13)}r`,
		() => "\x1b[r",
		() => pick(["\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1bE"]),
		() => `\x1b[?${pick([1, 6, 7, 25, 1000, 1002, 1003, 1004, 1006, 2004])}${pick(["h", "l"])}`,
		() => pick(["\x1b[4h", "\x1b[4l", "\x1b[4l"]),
		() => pick(["\x1b[?1049h", "\x1b[?1049l", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l"]),
		() => pick(["\x1b(0qqx", "\x1b(B", "\x1b(B", "\x0e", "\x0f"]),
		() => `\x1b]2;title ${int(100)}\x07`,
		() => pick(["\x1b[3 q", "\x1b[>1u", "\x1b[<u", "\x1bH", "\x1b[3g", "\x1b=", "\x1b>"]),
	];
	return Array.from({ length: pieces }, () => pick(makers)()).join("");
}
