import { z } from "zod";
import type { ModelItem } from "../model.ts";
import { defineTool, type Tool } from "../tool.ts";
import { isProblem, parseArguments } from "./arguments.ts";
import { failure } from "./result.ts";

const schema = z.looseObject({
	explanation: z.string().nullish(),
	plan: z.array(z.looseObject({ step: z.string(), status: z.enum(["pending", "in_progress", "completed"]) })),
});

const SPEC: ModelItem = {
	type: "function",
	name: "update_plan",
	description: "Shows the person the steps of the work and how far each is; at most one step is in progress.",
	strict: false,
	parameters: {
		type: "object",
		properties: {
			explanation: { type: "string", description: "Why the plan changed, if it did." },
			plan: {
				type: "array",
				description: "All steps, in order.",
				items: {
					type: "object",
					properties: {
						status: {
							type: "string",
							description: "How far it is.",
							enum: ["pending", "in_progress", "completed"],
						},
						step: { type: "string", description: "What is done, in a few words." },
					},
					required: ["step", "status"],
					additionalProperties: false,
				},
			},
		},
		required: ["plan"],
		additionalProperties: false,
	},
};

/** Tells clients the model's plan; nothing is stored but the call itself. */
export function createUpdatePlan(): Tool {
	return defineTool({
		name: "update_plan",
		spec: SPEC,
		execute(input, context) {
			const args = parseArguments(schema, input);
			if (isProblem(args)) return Promise.resolve(failure(args.problem));
			const steps = args.plan.map(({ step, status }) => ({
				step,
				status: status === "in_progress" ? ("inProgress" as const) : status,
			}));
			context.items.plan?.(args.explanation ?? null, steps);
			return Promise.resolve({ output: "Plan updated", success: true, stopTurn: false });
		},
	});
}
