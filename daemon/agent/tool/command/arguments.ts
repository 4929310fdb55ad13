import { z } from "zod";
import type { ModelItem } from "../../model.ts";

/** Loose: models send members of other versions (yield_time_ms, tty), which change nothing here. */
const argumentsSchema = z.looseObject({
	cmd: z.string().min(1),
	workdir: z.string().nullish(),
	login: z.boolean().nullish(),
	shell: z.string().nullish(),
	justification: z.string().nullish(),
	sandbox_permissions: z.enum(["use_default", "require_escalated"]).nullish(),
	max_output_tokens: z.number().positive().nullish(),
});
export type CommandArguments = z.infer<typeof argumentsSchema>;

/** Parses what a model sent; the text says what was wrong. */
export function parseCommandArguments(input: string): CommandArguments | string {
	let value: unknown;
	try {
		value = JSON.parse(input);
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
	const parsed = argumentsSchema.safeParse(value);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	return issue === undefined ? "not an object" : `${issue.path.join(".") || "arguments"}: ${issue.message}`;
}

/** Tokens of output that go back when the model names no number. */
export const DEFAULT_OUTPUT_TOKENS = 10_000;

export const COMMAND_SPEC: ModelItem = {
	type: "function",
	name: "exec_command",
	description:
		"Runs a shell command in the workspace and returns its output and exit code when it has ended. " +
		"Standard input is empty, so use the non-interactive form of a program.",
	strict: false,
	parameters: {
		type: "object",
		properties: {
			cmd: { type: "string", description: "The command line, as one would type it into the shell." },
			workdir: { type: "string", description: "Folder to run in; the folder of the thread when left out." },
			shell: { type: "string", description: "Shell program to use instead of the default one." },
			login: {
				type: "boolean",
				description: "Whether the shell reads its login files (-l); true when left out.",
			},
			max_output_tokens: {
				type: "number",
				description: `Most output tokens to return, ${DEFAULT_OUTPUT_TOKENS} when left out; the middle of longer output is cut.`,
			},
			sandbox_permissions: {
				type: "string",
				enum: ["use_default", "require_escalated"],
				description:
					"require_escalated asks the person to let this command run outside the sandbox. Only where it cannot work inside.",
			},
			justification: {
				type: "string",
				description:
					"With require_escalated: one short question to the person that says what the command is for.",
			},
		},
		required: ["cmd"],
		additionalProperties: false,
	},
};
