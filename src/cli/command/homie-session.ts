import type { DaemonClient } from "#client/client.ts";
import type { Terminal } from "#protocol/record.ts";
import type { CliContext } from "../descriptor.ts";

interface StartRequest {
	name?: string | undefined;
	argv?: readonly string[] | undefined;
	cwd?: string | undefined;
}

/** Starts a terminal with this client's size, folder and allow-listed environment; the daemon drops the rest. */
export async function startTerminal(
	context: CliContext,
	client: DaemonClient,
	request: StartRequest,
): Promise<Terminal> {
	const { stdout, env } = context;
	const size =
		stdout.isTTY && stdout.columns >= 2 && stdout.rows >= 1
			? { cols: stdout.columns, rows: stdout.rows }
			: {};
	const passed = Object.entries(env).filter(
		(entry): entry is [string, string] =>
			entry[1] !== undefined &&
			/^(PATH|LANG|LC_[A-Z]+|TZ|SHELL|SSH_AUTH_SOCK|DISPLAY|EDITOR|VISUAL|PAGER|NO_COLOR)$/.test(entry[0]),
	);
	const { terminal } = await client.call("terminal.session.start", {
		...(request.name === undefined ? {} : { name: request.name }),
		...(request.argv === undefined || request.argv.length === 0 ? {} : { argv: [...request.argv] }),
		cwd: request.cwd ?? context.cwd,
		...size,
		env: Object.fromEntries(passed),
	});
	return terminal;
}

interface AttachRequest {
	terminal: Terminal;
	mode: "drive" | "watch";
	takeover: boolean;
	/** The terminal was started for this: its whole output, from the first byte, when piped. */
	fromStart: boolean;
}

/** Attaches until the end; the exit code is the program's. */
export async function attachAndReport(
	context: CliContext,
	client: DaemonClient,
	request: AttachRequest,
): Promise<number> {
	const [{ attachTerminal }, { AppError }, { attachEnvironment }] = await Promise.all([
		import("#client/node/attach-terminal.ts"),
		import("#base/app-error.ts"),
		import("../attach-environment.ts"),
	]);
	const { terminal_id, name } = request.terminal;
	const end = await attachTerminal({
		client,
		terminal: terminal_id,
		mode: request.mode,
		takeover: request.takeover,
		stdin: context.stdin,
		stdout: context.stdout,
		env: await attachEnvironment(context),
		signal: context.signal,
		fromStart: request.fromStart,
	});
	switch (end.kind) {
		case "exited":
			return end.exitCode;
		case "detached":
			context.say(`detached from local:${name} (it goes on). Back: homie attach local:${name}`);
			return 0;
		case "lost":
			throw new AppError(
				"HOST_UNAVAILABLE",
				`local:${name} is lost: the pty-host ended, and its programs with it.`,
			);
	}
}
