import type { Terminal } from "@xterm/headless";

/** Of @xterm/headless 6.0.0 (pinned): parsing without its timers, and what its ED needs to be set right. */
interface ParserView {
	buffer: { x: number; y: number; lines: { length: number } };
	_inputHandler: {
		parse(bytes: Uint8Array): unknown;
		_parser: { reset(): void };
		_eraseInBufferLine(
			y: number,
			from: number,
			to: number,
			clearWrap: boolean,
			respectProtect: boolean,
		): void;
		_resetBufferLine(y: number, respectProtect: boolean): void;
	};
}

/** Other terminals get their turn after so much. */
const SLICE_BYTES = 256 * 1024;

/**
 * Parses into `terminal`; resolves when all is on the screen. What a program sends never breaks out of here: the emulator
 * throws on some sequences, and its own timers would carry that to the thread that all terminals share. Then the sequence
 * and what came with it is lost, nothing else.
 */
export function createScreenParser(terminal: Terminal): (bytes: Uint8Array) => Promise<void> {
	const core = (terminal as unknown as { _core: ParserView })._core;
	eraseAboveSafely(terminal, core);
	function parse(bytes: Uint8Array): void {
		try {
			core._inputHandler.parse(bytes);
		} catch {
			core._inputHandler._parser.reset();
		}
	}
	return async (bytes) => {
		for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
			if (at > 0) await new Promise((resolve) => void setImmediate(resolve));
			parse(bytes.subarray(at, at + SLICE_BYTES));
		}
	};
}

/** ED 1 at the very end of a screen without history looks for a line below, which is not there, and throws. */
function eraseAboveSafely(terminal: Terminal, core: ParserView): void {
	const input = core._inputHandler;
	function erase(params: readonly (number | number[])[], respectProtect: boolean): boolean {
		const { buffer } = core;
		const last = terminal.cols - 1;
		if (params[0] !== 1 || buffer.x < last || buffer.y + 1 < buffer.lines.length) return false;
		buffer.x = last;
		input._eraseInBufferLine(buffer.y, 0, terminal.cols, true, respectProtect);
		for (let y = 0; y < buffer.y; y += 1) input._resetBufferLine(y, respectProtect);
		return true;
	}
	terminal.parser.registerCsiHandler({ final: "J" }, (params) => erase(params, false));
	terminal.parser.registerCsiHandler({ prefix: "?", final: "J" }, (params) => erase(params, true));
}
