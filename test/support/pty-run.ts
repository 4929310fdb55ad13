import { spawn } from "node-pty";
import { createVirtualTerminal, type VirtualTerminal } from "./virtual-terminal.ts";

export interface PtyRunOptions {
	argv: readonly [string, ...string[]];
	cwd?: string;
	/** The whole environment; default: this process's, with TERM=xterm-256color. */
	env?: Readonly<Record<string, string | undefined>>;
	cols?: number;
	rows?: number;
}

/** A program in a real PTY whose output lands on a virtual screen; queries of the program are answered by the screen. */
export interface PtyRun extends AsyncDisposable {
	readonly screen: VirtualTerminal;
	readonly pid: number;
	/** Everything the program wrote so far, escapes included. */
	raw(): string;
	/** Types; `\r` is Enter. */
	send(keys: string): void;
	waitForText(
		want: string | RegExp | ((screen: VirtualTerminal) => boolean),
		options?: { timeoutMs?: number },
	): Promise<void>;
	resize(cols: number, rows: number): void;
	kill(signal?: NodeJS.Signals): void;
	readonly exit: Promise<{ exitCode: number; signal: number | undefined }>;
}

/** Disposing ends the program (SIGKILL) and waits until it is gone. */
export function runInPty(options: PtyRunOptions): PtyRun {
	const { cols = 80, rows = 24 } = options;
	const [file, ...args] = options.argv;
	const screen = createVirtualTerminal({ cols, rows });
	const child = spawn(file, args, {
		name: "xterm-256color",
		cols,
		rows,
		encoding: null,
		...(options.cwd === undefined ? {} : { cwd: options.cwd }),
		env: { ...(options.env ?? process.env), TERM: "xterm-256color" },
	});
	const chunks: Buffer[] = [];
	let lastWrite: Promise<void> = Promise.resolve();
	let ended = false;
	// With encoding null node-pty hands out Buffers, whatever its types say.
	child.onData((data) => {
		const bytes = data as unknown as Buffer;
		chunks.push(bytes);
		lastWrite = screen.write(bytes);
	});
	screen.onAnswer((data) => {
		if (!ended) child.write(data);
	});
	const exit = new Promise<{ exitCode: number; signal: number | undefined }>((resolve) => {
		child.onExit(({ exitCode, signal }) => {
			ended = true;
			void lastWrite.then(() => resolve({ exitCode, signal }));
		});
	});
	function kill(signal: NodeJS.Signals = "SIGTERM"): void {
		if (!ended) child.kill(signal);
	}
	return {
		screen,
		pid: child.pid,
		raw: () => Buffer.concat(chunks).toString("utf8"),
		send: (keys) => child.write(keys),
		waitForText: (want, waitOptions) => screen.waitFor(want, waitOptions),
		resize(nextCols, nextRows) {
			screen.resize(nextCols, nextRows);
			child.resize(nextCols, nextRows);
		},
		kill,
		exit,
		async [Symbol.asyncDispose]() {
			kill("SIGKILL");
			await exit;
			screen[Symbol.dispose]();
		},
	};
}
