import type { SandboxMode } from "#protocol/record.ts";

/** Where tools act: this machine now, a node later. Everything the agent does to the world goes through here. */
export interface Environment {
	readonly machineId: string;
	/** What kind of sandbox commands get, and why there is none. */
	readonly sandbox: { kind: "bubblewrap" | "seatbelt" | "none"; available: boolean; detail: string | null };
	/**
	 * Starts argv without a shell. Output is combined stdout and stderr as it comes. Never rejects: what goes wrong is in
	 * the result. The process runs in its own group and outlives an aborted turn (codex.md, interrupt-during-command).
	 */
	exec(request: ExecRequest): RunningCommand;
	readText(path: string): Promise<string | undefined>;
	/** The bytes of a file of at most `limitBytes`; undefined when there is none. Absent where files are not at hand. */
	readBytes?(path: string, limitBytes: number): Promise<Uint8Array | undefined>;
	/** Atomic; makes missing folders. */
	writeText(path: string, text: string): Promise<void>;
	remove(path: string): Promise<void>;
	/** Absolute, symlinks resolved for the part that exists; to fence paths to the workspace. */
	realPath(path: string): Promise<string>;
}

export interface ExecRequest {
	argv: readonly string[];
	cwd: string;
	env: Readonly<Record<string, string>>;
	sandbox: SandboxMode;
	networkAccess: boolean;
	/** Sandboxed commands of one scope (a thread) share a private /tmp; absent: the command has one of its own. */
	scope?: string;
	/** The folder that workspace-write opens for writing; `cwd` when absent. */
	workspaceRoot?: string;
	/** Extra writable folders in workspace-write, beside the workspace and /tmp. */
	writableRoots: readonly string[];
	/** Leaves /tmp, or the folder that TMPDIR names, read-only in workspace-write. */
	excludeSlashTmp?: boolean;
	excludeTmpdir?: boolean;
	/** Gives it a terminal that a helper beside it owns (docs/adr/0004), with its input open for `write`. */
	tty?: boolean;
	/** Of its terminal; 80 by 24 when absent. */
	size?: TerminalSize;
	/** Keeps the input of a command without a terminal open for `write`. */
	input?: boolean;
	/** Keeps stderr apart: it comes by `onErrorOutput` and is no part of the output. Not for a terminal, which has one stream. */
	split?: boolean;
}

export interface TerminalSize {
	readonly cols: number;
	readonly rows: number;
}

export interface RunningCommand {
	/** Process group leader; null when it could not start. */
	readonly pid: number | null;
	/** Kernel start time of the process (field 22 of /proc/PID/stat), with the pid names it for good. */
	readonly startTime: string | null;
	onOutput(listener: (chunk: string) => void): Disposable;
	/** Of a command whose streams are split. */
	onErrorOutput?(listener: (chunk: string) => void): Disposable;
	/** Ends the group: SIGTERM, SIGKILL after `graceMs`. */
	kill(graceMs: number): void;
	/** SIGINT to the group, as Ctrl-C in a terminal. */
	interrupt?(): void;
	/** To the terminal or the open input of a command that has one; dropped otherwise. */
	write?(text: string): void;
	/** Closes the open input of a command. */
	endInput?(): void;
	/** Gives the terminal of a command another size; nothing happens where it has none. */
	resize?(size: TerminalSize): void;
	readonly done: Promise<ExecResult>;
}

export interface ExecResult {
	exitCode: number;
	signal: string | null;
	/** Head and tail of the combined output when it was over the bound, with a marker between. */
	output: string;
	durationMs: number;
	/** Set when the program could not be started at all. */
	startError: string | null;
}
