import type { ArgumentDescriptor, CommandDescriptor, OptionDescriptor, ProgramName } from "./descriptor.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];
const PROGRAMS: readonly ProgramName[] = ["weave-codex", "homie"];

/** What can stand at the cursor: fixed words, or a kind whose values the daemon or the shell knows. */
export interface Completion {
	words: readonly { word: string; summary: string }[];
	kind: Exclude<ArgumentDescriptor["complete"], readonly string[] | undefined> | undefined;
}

/** Flag words of one option, longest form last: `-C, --cd <dir>` → `-C`, `--cd`. */
export function flagWords(option: OptionDescriptor): string[] {
	return option.flags.split(/[ ,]+/).filter((word) => word.startsWith("-"));
}

function takesValue(option: OptionDescriptor): boolean {
	return /[<[]/.test(option.flags);
}

function allOptions(command: CommandDescriptor): readonly OptionDescriptor[] {
	const own = command.options ?? [];
	return command.json ? [...own, { flags: "--json", summary: "print JSON" }] : own;
}

function ofOption(option: OptionDescriptor): Completion {
	return { words: (option.choices ?? []).map((word) => ({ word, summary: "" })), kind: option.complete };
}

function ofArguments(command: CommandDescriptor, position: number): Completion {
	const described = command.arguments ?? [];
	const last = described.at(-1);
	const argument = described[position] ?? (last?.variadic ? last : undefined);
	const complete = argument?.complete;
	if (complete === undefined) return { words: [], kind: undefined };
	if (typeof complete === "string") return { words: [], kind: complete };
	return { words: complete.map((word) => ({ word, summary: "" })), kind: undefined };
}

interface Found {
	command: CommandDescriptor | undefined;
	depth: number;
}

function findCommand(own: readonly CommandDescriptor[], words: readonly string[]): Found {
	const two = own.find((command) => command.name === words.slice(0, 2).join(" "));
	if (two?.name.includes(" ")) return { command: two, depth: 2 };
	const one = own.find((command) => command.name === words[0]);
	if (one && one.name !== "") return { command: one, depth: 1 };
	return { command: undefined, depth: 0 };
}

function subcommands(own: readonly CommandDescriptor[], before: readonly string[]): Completion {
	const prefix = before.length === 0 ? "" : `${before[0]} `;
	const seen = new Map<string, string>();
	for (const command of own) {
		if (command.hidden || command.name === "" || !command.name.startsWith(prefix)) continue;
		const rest = command.name.slice(prefix.length);
		const word = rest.split(" ")[0] ?? rest;
		if (!seen.has(word)) seen.set(word, rest === word ? command.summary : "");
	}
	return { words: Array.from(seen, ([word, summary]) => ({ word, summary })), kind: undefined };
}

/** `words` are those after the program's name, the one at the cursor last (possibly ""). Not yet filtered by it. */
export function complete(
	program: ProgramName,
	commands: readonly CommandDescriptor[],
	words: readonly string[],
): Completion {
	const own = commands.filter((command) => command.program === program);
	const before = words.slice(0, -1);
	const current = words.at(-1) ?? "";
	const { command, depth } = findCommand(own, before);
	if (!command) return subcommands(own, before);
	const options = allOptions(command);
	const previous = before.at(-1) ?? "";
	const pending = options.find((option) => takesValue(option) && flagWords(option).includes(previous));
	if (pending) return ofOption(pending);
	if (current.startsWith("-")) {
		return {
			words: options.flatMap((option) =>
				flagWords(option).map((word) => ({ word, summary: option.summary })),
			),
			kind: undefined,
		};
	}
	let position = 0;
	for (let index = depth; index < before.length; index += 1) {
		const word = before[index] ?? "";
		const option = options.find((candidate) => flagWords(candidate).includes(word));
		if (option && takesValue(option)) index += 1;
		else if (!word.startsWith("-")) position += 1;
	}
	return ofArguments(command, position);
}

function bashScript(program: ProgramName): string {
	const name = program.replaceAll("-", "_");
	return `_${name}_complete() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		case "$line" in
			:file) COMPREPLY+=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")) ;;
			:directory) COMPREPLY+=($(compgen -d -- "\${COMP_WORDS[COMP_CWORD]}")) ;;
			*) COMPREPLY+=("\${line%%$'\\t'*}") ;;
		esac
	done < <(${program} __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o filenames -o bashdefault -F _${name}_complete ${program}
`;
}

function zshScript(program: ProgramName): string {
	const name = program.replaceAll("-", "_");
	return `_${name}_complete() {
	local line
	local -a found
	while IFS= read -r line; do
		case "$line" in
			:file) _files ;;
			:directory) _files -/ ;;
			*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
		esac
	done < <(${program} __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
	(( \${#found} )) && _describe '${program}' found
}
compdef _${name}_complete ${program}
`;
}

function fishScript(program: ProgramName): string {
	const name = program.replaceAll("-", "_");
	return `function __${name}_complete
	set -l words (commandline -opc) (commandline -ct)
	for line in (${program} __complete -- $words[2..-1] 2>/dev/null)
		switch $line
			case :file
				__fish_complete_path (commandline -ct)
			case :directory
				__fish_complete_directories (commandline -ct)
			case '*'
				echo $line
		end
	end
end
complete -c ${program} -f -a '(__${name}_complete)'
`;
}

/** The text to source in a shell; it completes both programs by asking the program itself. */
export function completionScript(shell: Shell): string {
	const render = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
	const head = shell === "zsh" ? "autoload -Uz compinit && (( $+functions[compdef] )) || compinit\n" : "";
	return head + PROGRAMS.map(render).join("\n");
}
