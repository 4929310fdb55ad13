import { Command, CommanderError, Option } from "commander";
import { AppError } from "#base/app-error.ts";
import { ERROR_TABLE } from "#base/error-table.ts";
import { VERSION } from "#protocol/limits.ts";
import type { CommandDescriptor, CommandInput, ProgramName } from "./descriptor.ts";

const USAGE_EXIT = ERROR_TABLE.USAGE.exit;
const ABOUT: Record<ProgramName, string> = {
	"weave-codex": "Every coding agent and every terminal you own on one private bus.",
	homie: "Your machines and their terminals: shells that outlive everything else.",
};

/** Said in the list of commands; a group without a line here shows its words. */
const GROUPS: Readonly<Record<string, string>> = {
	service: "Start the daemon at login, or no longer.",
	chat: "Threads: read them, write to them, answer what their agents ask.",
	session: "Weave sessions: the rooms in which agents meet.",
	agent: "Agents of a session.",
	api: "What the daemon can be asked.",
	config: "Settings.",
};

type RunCommand = (command: CommandDescriptor, input: CommandInput) => Promise<number>;

function examplesText(descriptor: CommandDescriptor): string {
	const width = Math.max(...descriptor.examples.map((example) => example.command.length));
	const lines = descriptor.examples.map((example) => `  $ ${example.command.padEnd(width)}  ${example.says}`);
	return `\nExamples:\n${lines.join("\n")}`;
}

function addOptions(command: Command, descriptor: CommandDescriptor): void {
	for (const described of descriptor.options ?? []) {
		const option = new Option(described.flags, described.summary);
		if (described.choices) option.choices(described.choices);
		if (described.default !== undefined) option.default(described.default);
		if (described.repeats)
			option.argParser<string>((value, previous) =>
				previous === undefined ? value : `${previous}\0${value}`,
			);
		command.addOption(option);
	}
	if (descriptor.json) command.option("--json", "print JSON (one object, or a line per item of a stream)");
}

function configure(
	command: Command,
	descriptor: CommandDescriptor,
	run: RunCommand,
	done: (code: number) => void,
): void {
	command.description(descriptor.summary);
	for (const argument of descriptor.arguments ?? []) {
		const inner = argument.variadic ? `${argument.name}...` : argument.name;
		command.argument(argument.required ? `<${inner}>` : `[${inner}]`, argument.summary);
	}
	addOptions(command, descriptor);
	command.addHelpText("after", examplesText(descriptor));
	command.action(async () => {
		const args = command.processedArgs.flat().filter((value): value is string => typeof value === "string");
		done(await run(descriptor, { args, options: command.opts() }));
	});
}

/** Help or the version was printed; "commander.help" is that of a group that was named without a command. */
const HELP_CODES: ReadonlySet<string> = new Set([
	"commander.helpDisplayed",
	"commander.version",
	"commander.help",
]);

function prepare(command: Command): Command {
	return (
		command
			.exitOverride((error) => {
				if (HELP_CODES.has(error.code)) throw error;
				throw new AppError("USAGE", error.message.replace(/^error: /, "").replaceAll("\n", " "));
			})
			.showSuggestionAfterError(true)
			// Said by run.ts, like every other error.
			.configureOutput({ outputError: () => undefined })
			.helpOption("-h, --help", "show help")
	);
}

/** Not for a command of its own: there `help` is an argument. */
function withHelp(command: Command): Command {
	return command.helpCommand("help [command]", "show help for a command");
}

/** Only what the words can mean is built: a tree of fifty commands costs more than a status query. */
function candidates(
	own: readonly CommandDescriptor[],
	first: string | undefined,
): readonly CommandDescriptor[] {
	const matching = own.filter((command) => command.name.split(" ")[0] === first);
	return matching.length > 0 ? matching : own;
}

function addCommands(
	root: Command,
	descriptors: readonly CommandDescriptor[],
	run: RunCommand,
	done: (code: number) => void,
): void {
	const groups = new Map<string, Command>();
	for (const descriptor of descriptors) {
		const [first = "", second] = descriptor.name.split(" ");
		const leaf = prepare(new Command(second ?? first));
		configure(leaf, descriptor, run, done);
		if (second === undefined) {
			root.addCommand(leaf, { hidden: descriptor.hidden ?? false });
			continue;
		}
		let group = groups.get(first);
		if (!group) {
			group = withHelp(prepare(new Command(first))).description(
				GROUPS[first] ?? groupWords(first, descriptors),
			);
			groups.set(first, group);
			root.addCommand(group);
		}
		group.addCommand(leaf);
	}
}

/**
 * Builds the commander tree of one program. The returned function parses words and resolves with the exit code; where
 * help was asked for, or stands for an answer, it has been printed.
 * @throws AppError USAGE; what commands throw.
 */
export function buildProgram(
	program: ProgramName,
	commands: readonly CommandDescriptor[],
	run: RunCommand,
): (argv: readonly string[]) => Promise<number> {
	return async (argv) => {
		let exitCode = 0;
		const done = (code: number): void => {
			exitCode = code;
		};
		// Commander's own help command looks one level deep only.
		const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
		const first = words.find((word) => !word.startsWith("-"));
		const own = commands.filter((command) => command.program === program);
		const root = withHelp(prepare(new Command(program))).version(
			`${program} ${VERSION}`,
			"-V, --version",
			"print the version",
		);
		const alone = own.find((command) => command.name === "");
		// With an action of its own the root would take a misspelt command for an argument.
		if (alone && first === undefined) configure(root, alone, run, done);
		root.description(alone ? `${ABOUT[program]}\nWithout a command: ${alone.summary}` : ABOUT[program]);
		addCommands(
			root,
			candidates(own, first).filter((command) => command.name !== ""),
			run,
			done,
		);
		try {
			await root.parseAsync([...words], { from: "user" });
		} catch (thrown) {
			if (!(thrown instanceof CommanderError)) throw thrown;
			return thrown.exitCode === 0 ? 0 : USAGE_EXIT;
		}
		return exitCode;
	};
}

function groupWords(group: string, commands: readonly CommandDescriptor[]): string {
	const words = commands
		.filter((command) => command.name.startsWith(`${group} `))
		.map((command) => command.name.slice(group.length + 1));
	return words.join(", ");
}
