import { z } from "zod";
import type { ModelItem } from "../../model.ts";

/** Loose: models send members of other versions. */
export const commandArgumentsSchema = z.looseObject({
	cmd: z.string(),
	workdir: z.string().nullish(),
	login: z.boolean().nullish(),
	shell: z.string().nullish(),
	tty: z.boolean().nullish(),
	justification: z.string().nullish(),
	sandbox_permissions: z.enum(["use_default", "require_escalated", "with_additional_permissions"]).nullish(),
	prefix_rule: z.array(z.string()).nullish(),
	max_output_tokens: z.number().nonnegative().nullish(),
	yield_time_ms: z.number().nonnegative().nullish(),
});
export type CommandArguments = z.infer<typeof commandArgumentsSchema>;

export const stdinArgumentsSchema = z.looseObject({
	session_id: z.int(),
	chars: z.string().nullish(),
	max_output_tokens: z.number().nonnegative().nullish(),
	yield_time_ms: z.number().nonnegative().nullish(),
});

/** Tokens of output that go back when the model names no number. */
export const DEFAULT_OUTPUT_TOKENS = 10_000;

/** Waits as the reference server bounds them; a look without input is meant for slow commands. */
const WAIT = { leastMs: 250, mostMs: 30_000, commandMs: 10_000, leastLookMs: 5_000, mostLookMs: 300_000 };

/** How long `exec_command` waits for a command before it goes on without it. */
export function commandWaitMs(asked: number | null | undefined): number {
	return clamp(asked ?? WAIT.commandMs, WAIT.leastMs, WAIT.mostMs);
}

/** How long `write_stdin` waits for what the input brings. */
export function inputWaitMs(asked: number | null | undefined, chars: string): number {
	return chars === ""
		? clamp(asked ?? 0, WAIT.leastLookMs, WAIT.mostLookMs)
		: clamp(asked ?? 0, WAIT.leastMs, WAIT.mostMs);
}

function clamp(value: number, least: number, most: number): number {
	return Math.min(most, Math.max(least, value));
}

const MAX_TOKENS = {
	type: "number",
	description: `Most output tokens to return, ${DEFAULT_OUTPUT_TOKENS} when left out; the middle of longer output is cut.`,
};

export const COMMAND_SPEC: ModelItem = {
	type: "function",
	name: "exec_command",
	description:
		"Runs a shell command in the workspace and returns its output, or a session ID when it is still running after the wait.",
	strict: false,
	parameters: {
		type: "object",
		properties: {
			cmd: { type: "string", description: "The command line, as one would type it into the shell." },
			justification: {
				type: "string",
				description:
					"With require_escalated: one short question to the person that says what the command is for.",
			},
			login: {
				type: "boolean",
				description: "Whether the shell reads its login files (-l); true when left out.",
			},
			max_output_tokens: MAX_TOKENS,
			prefix_rule: {
				type: "array",
				description:
					"With require_escalated: first words of the command that the person may allow for good, narrow enough to be harmless.",
				items: { type: "string" },
			},
			sandbox_permissions: {
				type: "string",
				description:
					"require_escalated asks the person to let this command run outside the sandbox. Only where it cannot work inside.",
				enum: ["use_default", "require_escalated"],
			},
			shell: { type: "string", description: "Shell program to use instead of the default one." },
			tty: {
				type: "boolean",
				description: "Gives the command a terminal, whose input write_stdin types; false when left out.",
			},
			workdir: { type: "string", description: "Folder to run in; the folder of the thread when left out." },
			yield_time_ms: {
				type: "number",
				description: `Milliseconds to wait for output before going on, ${WAIT.commandMs} when left out.`,
			},
		},
		required: ["cmd"],
		additionalProperties: false,
	},
};

export const STDIN_SPEC: ModelItem = {
	type: "function",
	name: "write_stdin",
	description:
		"Types into a command that still runs, or just looks at it, and returns what it printed since.",
	strict: false,
	parameters: {
		type: "object",
		properties: {
			chars: { type: "string", description: "What to type; nothing when left out, to only look." },
			max_output_tokens: MAX_TOKENS,
			session_id: { type: "number", description: "The session ID that exec_command named." },
			yield_time_ms: {
				type: "number",
				description: `Milliseconds to wait for output, ${WAIT.leastMs} when left out; at least ${WAIT.leastLookMs} for a look without input.`,
			},
		},
		required: ["session_id"],
		additionalProperties: false,
	},
};
