import { AppError } from "#base/app-error.ts";
import { type CliContext, type CommandInput, defineCommand } from "../descriptor.ts";

async function run(context: CliContext, { args }: CommandInput): Promise<number> {
	if (!context.stdin.isTTY || !context.stdout.isTTY) {
		throw new AppError(
			"USAGE",
			"The terminal UI needs a terminal. For scripts: weave-codex exec, chat, send; see --help.",
		);
	}
	const { openTui } = await import("../open-tui.ts");
	return openTui(context, args[0]);
}

/** `weave-codex` alone and `weave-codex tui` are the same. */
export const rootCommand = defineCommand({
	program: "weave-codex",
	name: "",
	summary: "Open the terminal UI, starting the daemon if none runs.",
	examples: [
		{ command: "weave-codex", says: "chat with an agent in this folder" },
		{ command: 'weave-codex exec "run ls -la"', says: "one headless turn" },
		{ command: "homie attach local", says: "a shell that outlives this window" },
	],
	run,
});

export const tuiCommand = defineCommand({
	program: "weave-codex",
	name: "tui",
	summary: "Open the terminal UI, starting the daemon if none runs.",
	arguments: [{ name: "thread", summary: "thread to open", required: false, complete: "thread" }],
	examples: [{ command: "weave-codex tui", says: "chat with an agent in this folder" }],
	run,
});
