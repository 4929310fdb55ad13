import { z } from "zod";
import type { ModelItem } from "../model.ts";
import { defineTool, type Tool, type ToolContext, type ToolResult } from "../tool.ts";
import { isProblem, parseArguments } from "./arguments.ts";
import { failure } from "./result.ts";

/** Codex `ThreadGoal`: what the person wants of a thread over many turns. Times in seconds. */
const goalSchema = z.looseObject({
	threadId: z.string(),
	objective: z.string(),
	status: z.string(),
	tokenBudget: z.number().nullish(),
	tokensUsed: z.number().default(0),
	timeUsedSeconds: z.number().default(0),
	createdAt: z.number(),
	updatedAt: z.number(),
});
type Goal = z.infer<typeof goalSchema>;

/** Where a thread's goal is kept: its settings' `goal`. */
export interface GoalStore {
	read(threadId: string): Promise<unknown>;
	/** Durable when it resolves. */
	write(threadId: string, goal: Readonly<Record<string, unknown>>): Promise<void>;
}

function spec(
	name: string,
	description: string,
	properties: Record<string, unknown>,
	required: string[],
): ModelItem {
	return {
		type: "function",
		name,
		description,
		strict: false,
		parameters: { type: "object", properties, required, additionalProperties: false },
	};
}

const GET_SPEC = spec(
	"get_goal",
	"Reads the goal of this thread: its state, what it has used and what is left.",
	{},
	[],
);
const CREATE_SPEC = spec(
	"create_goal",
	"Sets a goal for this thread, only when the person asked for one. Fails while another is unfinished.",
	{
		objective: { type: "string", description: "What is to be reached, in the person's words." },
		token_budget: {
			type: "integer",
			description: "Most tokens to use, only where the person named a number.",
		},
	},
	["objective"],
);
const UPDATE_SPEC = spec(
	"update_goal",
	"Ends the goal or lays it aside. complete: everything it asks for is done and checked, nothing is left. " +
		"blocked: nothing can go on without the person. paused: the person asked to stop for now.",
	{
		status: {
			type: "string",
			description: "How the goal stands; never complete because a budget runs out.",
			enum: ["complete", "blocked", "paused"],
		},
	},
	["status"],
);

const createSchema = z.looseObject({ objective: z.string(), token_budget: z.int().nullish() });
const updateSchema = z.looseObject({ status: z.enum(["complete", "blocked", "paused"]) });

/** The model's view on the goal of its thread: get_goal, create_goal, update_goal. */
export function createGoalTools(goals: GoalStore): readonly Tool[] {
	async function current(context: ToolContext): Promise<Goal | null> {
		const parsed = goalSchema.safeParse(await goals.read(context.threadId));
		return parsed.success ? parsed.data : null;
	}

	async function change(goal: Goal, context: ToolContext): Promise<ToolResult> {
		await goals.write(context.threadId, goal);
		context.items.note?.("thread/goal/updated", { goal });
		return answer(goal);
	}

	const get = defineTool({
		name: "get_goal",
		spec: GET_SPEC,
		execute: async (_input, context) => answer(await current(context)),
	});
	const create = defineTool({
		name: "create_goal",
		spec: CREATE_SPEC,
		async execute(input, context) {
			const args = parseArguments(createSchema, input);
			if (isProblem(args)) return failure(args.problem);
			const before = await current(context);
			if (before !== null && before.status !== "complete")
				return failure("cannot create a new goal because this thread already has an unfinished goal");
			const now = Math.floor(context.nowMs() / 1000);
			const goal = {
				threadId: context.threadId,
				objective: args.objective,
				status: "active",
				tokenBudget: args.token_budget ?? null,
				tokensUsed: 0,
				timeUsedSeconds: 0,
				createdAt: now,
				updatedAt: now,
			};
			return change(goal, context);
		},
	});
	const update = defineTool({
		name: "update_goal",
		spec: UPDATE_SPEC,
		async execute(input, context) {
			const args = parseArguments(updateSchema, input);
			if (isProblem(args)) return failure(args.problem);
			const before = await current(context);
			if (before === null) return failure("cannot update goal because this thread has no goal");
			const now = Math.floor(context.nowMs() / 1000);
			return change({ ...before, status: args.status, updatedAt: now }, context);
		},
	});
	return [get, create, update];
}

function answer(goal: Goal | null): ToolResult {
	const remaining =
		goal?.tokenBudget === null || goal?.tokenBudget === undefined
			? null
			: Math.max(0, goal.tokenBudget - goal.tokensUsed);
	// The budget is named only where there is one.
	const { tokenBudget, ...rest } = goal ?? { tokenBudget: null };
	const shown = goal === null ? null : tokenBudget ? { ...rest, tokenBudget } : rest;
	const text = JSON.stringify({ goal: shown, remainingTokens: remaining, completionBudgetReport: null });
	return { output: text, success: true, stopTurn: false };
}
