import { z } from "zod";
import type { ModelItem } from "../model.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { isProblem, parseArguments } from "./arguments.ts";
import { failure, interrupted } from "./result.ts";

const schema = z.looseObject({
	questions: z.array(
		z.looseObject({
			id: z.string(),
			header: z.string(),
			question: z.string(),
			options: z.array(z.looseObject({ label: z.string(), description: z.string() })).nullish(),
		}),
	),
});

const SPEC: ModelItem = {
	type: "function",
	name: "request_user_input",
	description: "Asks the person one to three short questions and waits for the answers. Only in Plan mode.",
	strict: false,
	parameters: {
		type: "object",
		properties: {
			questions: {
				type: "array",
				description: "What to ask; one is best, three at most.",
				items: {
					type: "object",
					properties: {
						header: { type: "string", description: "A heading of at most 12 characters." },
						id: { type: "string", description: "A name in snake_case that the answer carries." },
						options: {
							type: "array",
							description:
								"Two or three choices that exclude each other, the best first with (Recommended) behind its label. The person may always answer otherwise, so no choice says that.",
							items: {
								type: "object",
								properties: {
									description: { type: "string", description: "What choosing it means, in a sentence." },
									label: { type: "string", description: "One to five words." },
								},
								required: ["label", "description"],
								additionalProperties: false,
							},
						},
						question: { type: "string", description: "The question, in one sentence." },
					},
					required: ["id", "header", "question", "options"],
					additionalProperties: false,
				},
			},
		},
		required: ["questions"],
		additionalProperties: false,
	},
};

/** Puts questions to the person, through whichever client answers first. */
export function createRequestUserInput(mode: "default" | "plan"): Tool {
	async function execute(input: string, context: ToolContext): Promise<ToolResult> {
		const args = parseArguments(schema, input);
		if (isProblem(args)) return failure(args.problem);
		if (args.questions.length === 0 || args.questions.some(({ options }) => (options ?? []).length === 0))
			return failure("request_user_input requires non-empty options for every question");
		if (context.askClient === undefined) return failure("request_user_input has nobody to ask");
		const questions = args.questions.map(({ id, header, question, options }) => ({
			id,
			header,
			question,
			isOther: true,
			isSecret: false,
			options: (options ?? []).map(({ label, description }) => ({ label, description })),
		}));
		try {
			const answer = await context.askClient({
				itemId: context.callId,
				kind: "user_input",
				params: { itemId: context.callId, questions, isBlocking: true, autoResolutionMs: null },
			});
			if (answer.type === "failed") return failure(`request_user_input failed: ${answer.message}`);
			return { output: JSON.stringify(answer.result), success: true, stopTurn: false };
		} catch (error) {
			if (context.signal.aborted) return interrupted();
			throw error;
		}
	}
	return defineTool({
		name: "request_user_input",
		spec: SPEC,
		execute: (input, context) =>
			mode === "plan"
				? execute(input, context)
				: Promise.resolve(failure("request_user_input is unavailable in Default mode")),
	});
}
