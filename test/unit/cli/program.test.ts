import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { COMMANDS } from "#cli/command/index.ts";
import type { CommandDescriptor, CommandInput, ProgramName } from "#cli/descriptor.ts";
import { buildProgram } from "#cli/program.ts";

interface Ran {
	command: CommandDescriptor;
	input: CommandInput;
}

/** Understands the words without running anything. */
async function understand(program: ProgramName, argv: readonly string[]): Promise<Ran | undefined> {
	let ran: Ran | undefined;
	await buildProgram(program, COMMANDS, async (command, input) => {
		ran = { command, input };
		return 0;
	})(argv);
	return ran;
}

async function refusal(program: ProgramName, argv: readonly string[]): Promise<AppError> {
	const thrown = await understand(program, argv).catch((error: unknown) => error);
	if (!(thrown instanceof AppError)) throw new Error(`${argv.join(" ")} was not refused`);
	return thrown;
}

/** What a shell makes of each example: the program and its words. */
function splitByShell(lines: readonly string[]): { program: ProgramName; argv: string[] }[] {
	const dir = mkdtempSync(join(tmpdir(), "wc-examples-"));
	const found = join(dir, "found");
	// Redirections name files that are not here.
	const bare = lines.map((line) => line.replace(/ [<>] \S+$/, ""));
	const record = (name: string): string => `${name}() { printf '%s\\0' ${name} "$@" $'\\n' >> "$FOUND"; }`;
	const script = [record("weave-codex"), record("homie"), ...bare].join("\n");
	try {
		const { status, stderr } = spawnSync("bash", ["--norc", "-c", script], {
			env: { PATH: process.env["PATH"] ?? "", HOME: dir, FOUND: found },
			encoding: "utf8",
		});
		if (status !== 0) throw new Error(stderr);
		return readFileSync(found, "utf8")
			.split("\n\0")
			.filter((part) => part !== "")
			.map((part) => {
				const [program = "", ...argv] = part.split("\0").slice(0, -1);
				return { program: program as ProgramName, argv };
			});
	} finally {
		rmSync(dir, { recursive: true });
	}
}

describe("command line: words", () => {
	test("every example is understood as the command it stands with, after a shell has read it", async () => {
		const examples = COMMANDS.flatMap((command) => command.examples.map((example) => ({ command, example })));
		const split = splitByShell(examples.map(({ example }) => example.command));
		expect(split).toHaveLength(examples.length);
		for (const [index, { command, example }] of examples.entries()) {
			const words = split[index];
			if (!words) throw new Error(example.command);
			const ran = await understand(words.program, words.argv);
			expect(ran, example.command).toBeDefined();
			// The program's own examples show other commands.
			if (command.name !== "") expect(ran?.command, example.command).toBe(command);
			const required = ran?.command.arguments?.filter((argument) => argument.required).length ?? 0;
			expect(ran?.input.args.length, example.command).toBeGreaterThanOrEqual(required);
		}
	});

	test("every command says what it does in one sentence and has an example", () => {
		for (const { name, summary, examples } of COMMANDS) {
			expect(summary, name).toMatch(/^[A-Z].*\.$/);
			expect(examples.length, name).toBeGreaterThan(0);
		}
	});

	test.each([
		["weave-codex", ["staus"], /unknown command 'staus' \(Did you mean status\?\)/],
		["weave-codex", ["chat", "aprove"], /Did you mean approve\?/],
		["weave-codex", ["status", "--jsn"], /Did you mean --json\?/],
		["weave-codex", ["chat", "read"], /missing required argument 'thread'/],
		["weave-codex", ["exec", "--sandbox", "none", "x"], /Allowed choices are read-only/],
		["weave-codex", ["status", "now"], /too many arguments/],
		["homie", ["lss"], /Did you mean ls\?/],
	] as const)("%s %j is refused with a helpful line", async (program, argv, message) => {
		const error = await refusal(program, argv);
		expect(error.code).toBe("USAGE");
		expect(error.message).toMatch(message);
		expect(error.message).not.toMatch(/^error|\n/);
	});

	test("help is a word for exec, not a command of it", async () => {
		const ran = await understand("weave-codex", ["exec", "help"]);
		expect(ran?.input.args).toEqual(["help"]);
	});

	test("options after -- belong to the program that a terminal runs", async () => {
		const ran = await understand("homie", ["new", "--name", "build", "--", "make", "--version", "-j4"]);
		expect(ran?.input.args).toEqual(["make", "--version", "-j4"]);
		expect(ran?.input.options["name"]).toBe("build");
	});
});
