/** What the guard needs of the process; a port so that tests need no signals of their own. */
export interface ProcessPort {
	readonly pid: number;
	on(event: string, listener: (value: unknown) => void): unknown;
	off(event: string, listener: (value: unknown) => void): unknown;
	kill(pid: number, signal: string): unknown;
}

interface GuardParts {
	process: ProcessPort;
	stdin: NodeJS.ReadStream;
	stdout: NodeJS.WriteStream;
	/** Ends the TUI; the first code wins. */
	finish(code: number, error?: unknown): void;
	/** The person or another program asks to stop (SIGTSTP). */
	onStop(): void;
}

export interface TerminalGuard extends Disposable {
	/** Puts the terminal back as it was found, whatever state the program is in; may be called twice. */
	restore(): void;
	/** Stops this job as Ctrl+Z does and resolves when it goes on; the terminal must be given back before. */
	stopJob(): Promise<void>;
}

/** 128 + the signal's number, as shells tell it. */
const SIGNAL_CODE: Readonly<Record<string, number>> = {
	SIGTERM: 143,
	SIGHUP: 129,
	SIGINT: 130,
	SIGQUIT: 131,
};
/** `sysexits` EX_SOFTWARE, as the error table's INTERNAL. */
const CRASH_CODE = 70;
/** A stop signal has certainly been taken by then; where nobody can continue the job (no shell) it is ignored, and we go on. */
const STOP_SETTLE_MS = 60;
/** Cursor shown, bracketed paste off, colours reset. */
const RESTORE = "\u001b[?2004l\u001b[?25h\u001b[0m";

/** Watches for every way a program can end, so that the terminal is always given back. */
export function guardTerminal({ process, stdin, stdout, finish, onStop }: GuardParts): TerminalGuard {
	const stack = new DisposableStack();
	function listen(event: string, listener: (value: unknown) => void): void {
		process.on(event, listener);
		stack.defer(() => process.off(event, listener));
	}
	for (const [signal, code] of Object.entries(SIGNAL_CODE)) listen(signal, () => finish(code));
	listen("uncaughtException", (error: unknown) => finish(CRASH_CODE, error));
	listen("unhandledRejection", (error: unknown) => finish(CRASH_CODE, error));
	process.on("SIGTSTP", onStop);
	stack.defer(() => process.off("SIGTSTP", onStop));

	return {
		restore() {
			try {
				if (stdin.isTTY) stdin.setRawMode(false);
				stdout.write(RESTORE);
			} catch {
				// The terminal is gone; nothing is left to restore.
			}
		},
		async stopJob() {
			process.off("SIGTSTP", onStop);
			await new Promise<void>((resolve) => {
				const timer = setTimeout(done, STOP_SETTLE_MS);
				function done(): void {
					clearTimeout(timer);
					process.off("SIGCONT", done);
					resolve();
				}
				process.on("SIGCONT", done);
				// The whole job, as the terminal itself does it: a launcher in front of us must stop too.
				process.kill(0, "SIGTSTP");
			});
			process.on("SIGTSTP", onStop);
		},
		[Symbol.dispose]: () => stack.dispose(),
	};
}
