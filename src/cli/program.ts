import { Command, CommanderError, Option } from "commander";
import { ERROR_TABLE } from "#base/error-table.ts";
import { VERSION } from "#protocol/limits.ts";
import type { CommandDescriptor, CommandInput, ProgramName } from "./descriptor.ts";

const USAGE_EXIT = ERROR_TABLE.USAGE.exit;
const ABOUT: Record<ProgramName, string> = {
	"weave-codex": "Every coding agent and every terminal you own on one private bus.",
	homie: "Your machines and their terminals: shells that outlive everything else.",
};

/** Commander has said already what was wrong; only the exit code is left. */
interface UsageError {
	readonly exitCode: number;
}

export function isUsageError(thrown: unknown): thrown is UsageError {
	return thrown instanceof CommanderError;
}

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

function prepare(command: Command): Command {
	return command
		.exitOverride((error) => {
			throw Object.assign(error, { exitCode: error.exitCode === 0 ? 0 : USAGE_EXIT });
		})
		.showSuggestionAfterError(true)
		.showHelpAfterError("(run with --help for the options)")
		.helpOption("-h, --help", "show help");
}

/** Only what the words can mean is built: a tree of fifty commands costs more than a status query. */
function candidates(
	program: ProgramName,
	commands: readonly CommandDescriptor[],
	argv: readonly string[],
): readonly CommandDescriptor[] {
	const own = commands.filter((command) => command.program === program);
	const first = argv.find((word) => !word.startsWith("-"));
	const matching = own.filter((command) => command.name.split(" ")[0] === first);
	return matching.length > 0 && !argv.includes("help") ? matching : own;
}

/**
 * Builds the commander tree of one program. The returned function parses words and resolves with the exit code.
 * @throws CommanderError (see isUsageError) after commander has printed help or what was wrong; AppError from commands.
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
		const root = prepare(new Command(program))
			.description(ABOUT[program])
			.version(`${program} ${VERSION}`, "-V, --version", "print the version");
		const groups = new Map<string, Command>();
		const visible = candidates(program, commands, argv);
		for (const descriptor of visible) {
			if (descriptor.name === "") {
				configure(root, descriptor, run, done);
				continue;
			}
			const [first = "", second] = descriptor.name.split(" ");
			if (second === undefined) {
				const leaf = prepare(new Command(first));
				configure(leaf, descriptor, run, done);
				root.addCommand(leaf, { hidden: descriptor.hidden ?? false });
				continue;
			}
			let group = groups.get(first);
			if (!group) {
				group = prepare(new Command(first)).description(groupSummary(first, visible));
				groups.set(first, group);
				root.addCommand(group);
			}
			const leaf = prepare(new Command(second));
			configure(leaf, descriptor, run, done);
			group.addCommand(leaf);
		}
		await root.parseAsync([...argv], { from: "user" });
		return exitCode;
	};
}

function groupSummary(group: string, commands: readonly CommandDescriptor[]): string {
	const words = commands
		.filter((command) => command.name.startsWith(`${group} `))
		.map((command) => command.name.slice(group.length + 1));
	return words.join(", ");
}
