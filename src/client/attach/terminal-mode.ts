/** Saves the title and goes to the alternate screen: what was there stays untouched below. */
export const ENTER_ATTACH = "\x1b[22;0t\x1b[?1049h\x1b[H\x1b[2J";

/**
 * Takes back every mode a program may have set, then the alternate screen and the title. `keyboardDepth` entries of the
 * keyboard stack are the program's own; more are not touched.
 */
export function leaveAttach(keyboardDepth: number): string {
	return [
		"\x1b[?2026l",
		"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l",
		"\x1b[?2004l",
		keyboardDepth > 0 ? `\x1b[<${keyboardDepth}u` : "",
		"\x1b[=0;1u\x1b[>4m",
		"\x1b[?1l\x1b>\x1b[4l\x1b[?6l\x1b[?7h\x1b[?45l\x1b[r",
		"\x1b(B\x1b)B\x0f\x1b[m",
		"\x1b[0 q",
		"\x1b[?1049l\x1b[23;0t\x1b[?25h",
	].join("");
}
