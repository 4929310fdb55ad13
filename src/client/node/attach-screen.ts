import { writeSync } from "node:fs";
import { ENTER_ATTACH, leaveAttach } from "../attach/terminal-mode.ts";

interface AttachStreams {
	stdin: NodeJS.ReadStream;
	stdout: NodeJS.WriteStream;
}

interface ScreenEvents {
	onInput(bytes: Uint8Array): void;
	onInputEnd(): void;
	onResize(): void;
}

/** The person's terminal during an attach, or a pair of pipes. */
export interface AttachScreen {
	/** Both ends are terminals: raw mode, alternate screen, keys of ours. */
	readonly interactive: boolean;
	open(events: ScreenEvents): void;
	/** False when the reader is slow; `drain` follows. */
	write(bytes: Uint8Array): boolean;
	flush(): Promise<void>;
	/** Takes everything back; again does nothing. */
	close(): void;
}

/**
 * Raw mode and the alternate screen, given back on every way out: `close`, the process's end (an uncaught error too), SIGHUP.
 * SIGTERM and SIGINT reach the attach through its abort signal.
 */
export function createAttachScreen(
	{ stdin, stdout }: AttachStreams,
	keyboardDepth: () => number,
): AttachScreen {
	const { fd } = stdout as NodeJS.WriteStream & { fd: number };
	const interactive = stdin.isTTY === true && stdout.isTTY === true;
	let events: ScreenEvents | undefined;
	let wasRaw = false;

	const onData = (chunk: Buffer | string): void =>
		events?.onInput(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
	const onEnd = (): void => events?.onInputEnd();
	const onResize = (): void => events?.onResize();
	/** Synchronous: at the process's end nothing else is written any more. */
	function restore(): void {
		if (!interactive) return;
		const bytes = Buffer.from(leaveAttach(keyboardDepth()));
		for (let at = 0, tries = 0; at < bytes.length && tries < 1000; tries += 1) {
			try {
				at += writeSync(fd, bytes, at);
			} catch (error) {
				// A full terminal takes the rest a moment later; one that is gone needs nothing.
				if ((error as NodeJS.ErrnoException).code !== "EAGAIN") break;
			}
		}
		try {
			stdin.setRawMode(wasRaw);
		} catch {
			// The terminal is gone, and its mode with it.
		}
	}
	function onHangup(): void {
		close();
		process.kill(process.pid, "SIGHUP");
	}
	function close(): void {
		if (!events) return;
		events = undefined;
		stdin.off("data", onData);
		stdin.off("end", onEnd);
		stdin.pause();
		stdout.off("resize", onResize);
		process.off("exit", close);
		process.off("SIGHUP", onHangup);
		restore();
	}
	return {
		interactive,
		open(next) {
			events = next;
			if (interactive) {
				wasRaw = stdin.isRaw === true;
				process.on("exit", close);
				process.on("SIGHUP", onHangup);
				stdin.setRawMode(true);
				stdout.write(ENTER_ATTACH);
			}
			stdout.on("resize", onResize);
			stdin.on("data", onData);
			stdin.on("end", onEnd);
			stdin.resume();
		},
		write: (bytes) => stdout.write(bytes),
		flush: () => new Promise((resolve) => void stdout.write("", () => resolve())),
		close,
	};
}
