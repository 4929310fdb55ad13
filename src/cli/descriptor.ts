import type { DaemonClient } from "#client/client.ts";
import type { Paths } from "#platform/paths.ts";

export type ProgramName = "weave-codex" | "homie";

/** One positional argument. */
export interface ArgumentDescriptor {
	/** Shown as `<name>` or `[name]`. */
	name: string;
	summary: string;
	required: boolean;
	variadic?: boolean;
	/** What shell completion offers. */
	complete?:
		| "file"
		| "directory"
		| "thread"
		| "terminal"
		| "agent"
		| "method"
		| "topic"
		| "machine"
		| readonly string[];
}

/** One option, in commander's flag syntax: `-C, --cd <dir>`, `--json`, `--no-web`. */
export interface OptionDescriptor {
	flags: string;
	summary: string;
	choices?: readonly string[];
	default?: string | boolean;
	/** May be given more than once; the values arrive as one text, NUL between them. */
	repeats?: boolean;
	complete?: "file" | "directory";
}

/** Streams, environment and connection, handed in so that commands are tested without a process. */
export interface CliContext {
	readonly program: ProgramName;
	readonly stdin: NodeJS.ReadStream;
	readonly stdout: NodeJS.WriteStream;
	readonly stderr: NodeJS.WriteStream;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly cwd: string;
	readonly paths: Paths;
	/** Aborted by Ctrl+C (reason: AppError CANCELLED, exit 130) and SIGTERM (exit 143). */
	readonly signal: AbortSignal;
	/** `--json` was given. */
	readonly json: boolean;
	/** Connects to the running daemon. @throws AppError DAEMON_UNAVAILABLE with the remedy. The context closes it. */
	connect(): Promise<DaemonClient>;
	/** Like connect, but starts the daemon when none runs. */
	connectOrStart(): Promise<DaemonClient>;
	/** Data: with `--json` one JSON line of `value`, else `human` (default: nothing). To stdout. */
	print(value: unknown, human?: string): void;
	/** Talk: to stderr. */
	say(line: string): void;
}

/** One command of one program: help, completion, man page and reference docs come from it. */
export interface CommandDescriptor {
	readonly program: ProgramName;
	/** Words after the program's name: `chat approve`; "" is the program itself. */
	readonly name: string;
	readonly summary: string;
	/** Paragraphs for the man page. */
	readonly description?: string;
	readonly arguments?: readonly ArgumentDescriptor[];
	readonly options?: readonly OptionDescriptor[];
	/** At least one; `$ ` is put in front. */
	readonly examples: readonly { command: string; says: string }[];
	/** True when it prints data and so takes `--json`. */
	readonly json?: boolean;
	/** Hidden from help (completion's own back end). */
	readonly hidden?: boolean;
	/** Resolves with the exit code (undefined: 0). Heavy modules are imported inside, never at the top of the file. */
	run(context: CliContext, input: CommandInput): Promise<number | undefined>;
}

export interface CommandInput {
	/** Positionals in order; a variadic one is the rest. */
	readonly args: readonly string[];
	/** By commander's camelCase names; an option not given is absent or its default. */
	readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

export function defineCommand(descriptor: CommandDescriptor): CommandDescriptor {
	return descriptor;
}
