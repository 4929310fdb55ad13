import { ERROR_TABLE } from "#base/error-table.ts";
import { VERSION } from "#protocol/limits.ts";
import type { CommandDescriptor, ProgramName } from "./descriptor.ts";

const TITLE: Record<ProgramName, string> = {
	"weave-codex": "one private bus for coding agents and terminals",
	homie: "machines and terminals that outlive their windows",
};
const INTRO: Record<ProgramName, string> = {
	"weave-codex":
		"A background daemon runs the bus, the agents and the terminals; this program starts and stops it, talks to it, and opens the terminal UI. Without a command it opens the UI, starting the daemon if none runs.",
	homie:
		"Starts, lists and attaches to terminals that the weave-codex daemon keeps. A terminal goes on when its client leaves, and when the daemon ends.",
};

const ENVIRONMENT: readonly (readonly [string, string])[] = [
	["HOMIE_HOME", "Folder of the daemon's state (default ~/.homie). One daemon per folder."],
	["WEAVE_HOME", "Folder of the bus socket (default ~/.weave)."],
	[
		"HOMIE_CODEX_DIR, CODEX_HOME",
		"Folder of Codex's own config.toml and auth.json (default ~/.codex); the first one set wins.",
	],
	["HOMIE_PREFIX", "Prefix key of homie attach, such as ^] (the default) or ^A."],
	["WEAVE_CODEX_NODE", "Node 24 or newer to run with, where the one found is too old."],
	["NO_COLOR", "No colours."],
];

/** Roff needs backslashes, leading dots and dashes told apart from its own. */
function roff(text: string): string {
	return text
		.replaceAll("\\", "\\e")
		.replaceAll("-", "\\-")
		.replaceAll(/^([.'])/gm, "\\&$1");
}

function exitStatus(): string[] {
	const codes = new Map<number, string>([
		[0, "ok"],
		[1, "failed"],
		[64, "usage"],
		[66, "not found"],
		[69, "daemon or provider unavailable"],
		[70, "internal error"],
		[74, "storage"],
		[75, "busy or in conflict: retry"],
		[76, "protocol"],
		[77, "denied, or an approval not given in time"],
		[78, "configuration"],
		[130, "interrupted"],
		[143, "terminated"],
	]);
	for (const row of Object.values(ERROR_TABLE)) {
		if (!codes.has(row.exit)) throw new Error(`exit code ${row.exit} has no words`);
	}
	return Array.from(codes, ([code, words]) => `.TP\n.B ${code}\n${roff(words)}`);
}

function synopsis(command: CommandDescriptor): string {
	const words = (command.arguments ?? []).map((argument) => {
		const inner = argument.variadic ? `${argument.name}...` : argument.name;
		return argument.required ? `<${inner}>` : `[${inner}]`;
	});
	return [command.program, command.name, ...words].filter((word) => word !== "").join(" ");
}

function commandSection(command: CommandDescriptor): string {
	const out = [`.SS ${roff(synopsis(command))}`, roff(command.summary)];
	if (command.description) out.push(".PP", roff(command.description));
	for (const argument of command.arguments ?? [])
		out.push(`.TP\n.I ${roff(argument.name)}\n${roff(argument.summary)}`);
	for (const option of command.options ?? []) {
		const choices = option.choices ? ` One of ${option.choices.join(", ")}.` : "";
		out.push(`.TP\n.B ${roff(option.flags)}\n${roff(option.summary + choices)}`);
	}
	if (command.json)
		out.push(`.TP\n.B ${roff("--json")}\nPrint JSON: one object, or a line per item of a stream.`);
	for (const example of command.examples)
		out.push(`.PP\n${roff(example.says)}:\n.PP\n.RS 4\n.nf\n${roff(example.command)}\n.fi\n.RE`);
	return out.join("\n");
}

/** The whole man page of one program, section 1. */
export function renderManPage(program: ProgramName, commands: readonly CommandDescriptor[]): string {
	const own = commands.filter((command) => command.program === program && !command.hidden);
	const other = program === "homie" ? "weave-codex" : "homie";
	return `${[
		`.TH ${program.toUpperCase()} 1 "" "weave\\-codex ${VERSION}" "User Commands"`,
		`.SH NAME\n${roff(program)} \\- ${roff(TITLE[program])}`,
		`.SH SYNOPSIS\n.B ${roff(program)}\n[command] [options]`,
		`.SH DESCRIPTION\n${roff(INTRO[program])}`,
		".SH COMMANDS",
		...own.map(commandSection),
		`.SH EXIT STATUS\nThe program that a terminal ran may give any other.\n${exitStatus().join("\n")}`,
		`.SH ENVIRONMENT\n${ENVIRONMENT.map(([name, says]) => `.TP\n.B ${name}\n${roff(says)}`).join("\n")}`,
		`.SH SEE ALSO\n.BR ${other} (1)`,
	].join("\n")}\n`;
}

function commandMarkdown(command: CommandDescriptor): string {
	const out = [`### \`${synopsis(command)}\``, "", command.summary, ""];
	if (command.description) out.push(command.description, "");
	for (const argument of command.arguments ?? []) out.push(`- \`${argument.name}\`: ${argument.summary}`);
	for (const option of command.options ?? []) {
		const choices = option.choices ? ` (${option.choices.join(", ")})` : "";
		out.push(`- \`${option.flags}\`: ${option.summary}${choices}`);
	}
	if (command.json) out.push("- `--json`: print JSON");
	out.push(
		"",
		"```sh",
		...command.examples.map((example) => `${example.command}  # ${example.says}`),
		"```",
		"",
	);
	return out.join("\n");
}

/** The same as Markdown, for docs/reference. */
export function renderCommandReference(commands: readonly CommandDescriptor[]): string {
	const out = [
		"# Command line\n\nGenerated by `npm run generate` from the command descriptors. Every command takes `--help`.\n",
	];
	for (const program of ["weave-codex", "homie"] as const) {
		const own = commands.filter((command) => command.program === program && !command.hidden);
		out.push(`## ${program}\n`, ...own.map(commandMarkdown));
	}
	return out.join("\n");
}
