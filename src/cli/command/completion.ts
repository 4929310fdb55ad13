import { AppError } from "#base/app-error.ts";
import type { Completion, Shell } from "../completion.ts";
import { type CliContext, type CommandDescriptor, defineCommand } from "../descriptor.ts";

export const completionCommand = defineCommand({
	program: "weave-codex",
	name: "completion",
	summary: "Print a completion script for a shell; it covers weave-codex and homie.",
	arguments: [
		{ name: "shell", summary: "bash, zsh or fish", required: true, complete: ["bash", "zsh", "fish"] },
	],
	examples: [
		{ command: 'eval "$(weave-codex completion bash)"', says: "in ~/.bashrc" },
		{
			command: "weave-codex completion fish > ~/.config/fish/completions/weave-codex.fish",
			says: "for fish",
		},
	],
	async run(context, { args }) {
		const { completionScript, SHELLS } = await import("../completion.ts");
		const shell = SHELLS.find((name) => name === args[0]);
		if (!shell) throw new AppError("USAGE", `No completion for ${args[0]}; there is ${SHELLS.join(", ")}.`);
		context.stdout.write(completionScript(shell satisfies Shell));
		return 0;
	},
});

/** Asked at every Tab: a daemon that doesn't answer at once must not hold the person up. */
const ASK_TIMEOUT_MS = 500;

type Rows = readonly { word: string; summary: string }[];

interface Source {
	method: string;
	rows(result: unknown): Rows;
}

function rowsOf(list: string, word: string, summary: string): (result: unknown) => Rows {
	return (result) => {
		const rows = (result as Record<string, unknown>)[list];
		if (!Array.isArray(rows)) return [];
		return rows.map((row: Record<string, unknown>) => ({
			word: String(row[word] ?? ""),
			summary: String(row[summary] ?? ""),
		}));
	};
}

const SOURCES: Readonly<Record<string, Source>> = {
	thread: { method: "chat.list", rows: rowsOf("threads", "thread_id", "agent_name") },
	terminal: { method: "terminal.session.list", rows: rowsOf("terminals", "name", "cwd") },
	agent: { method: "weave.agent.list", rows: rowsOf("agents", "name", "kind") },
};

async function dynamicWords(context: CliContext, kind: string): Promise<Rows> {
	if (kind === "machine") return [{ word: "local", summary: "this machine" }];
	if (kind === "method" || kind === "topic") {
		const names =
			kind === "method"
				? (await import("#protocol/service/index.ts")).METHODS
				: (await import("#protocol/topic/index.ts")).TOPICS;
		return names.map(({ name, summary }) => ({ word: name, summary }));
	}
	const source = SOURCES[kind];
	if (!source) return [];
	const { rpcOnce } = await import("#client/node/rpc-once.ts");
	try {
		return source.rows(await rpcOnce(context.paths, source.method, {}, { timeoutMs: ASK_TIMEOUT_MS }));
	} catch {
		// No daemon, no offers.
		return [];
	}
}

async function lines(context: CliContext, { words, kind }: Completion, current: string): Promise<string[]> {
	if (kind === "file" || kind === "directory") return [`:${kind}`];
	const offers = kind === undefined ? words : await dynamicWords(context, kind);
	return offers
		.filter(({ word }) => word.startsWith(current))
		.map(({ word, summary }) => `${word}\t${summary}`);
}

function completeFor(
	program: "weave-codex" | "homie",
	commands: () => readonly CommandDescriptor[],
): CommandDescriptor {
	return defineCommand({
		program,
		name: "__complete",
		summary: "Answer a shell's completion request.",
		hidden: true,
		arguments: [
			{
				name: "words",
				summary: "words after the program, the one at the cursor last",
				required: false,
				variadic: true,
			},
		],
		examples: [{ command: `${program} __complete -- st`, says: "what the completion scripts ask" }],
		async run(context, { args }) {
			const { complete } = await import("../completion.ts");
			const words = args.length === 0 ? [""] : args;
			const found = complete(program, commands(), words);
			const offered = await lines(context, found, words.at(-1) ?? "");
			if (offered.length > 0) context.stdout.write(`${offered.join("\n")}\n`);
			return 0;
		},
	});
}

/** The hidden back end of the completion scripts, for both programs; `commands` is the whole list they are part of. */
export function createCompleteCommands(
	commands: () => readonly CommandDescriptor[],
): readonly CommandDescriptor[] {
	return [completeFor("weave-codex", commands), completeFor("homie", commands)];
}
