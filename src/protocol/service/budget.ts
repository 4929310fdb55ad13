import { z } from "zod";
import { defineMethod } from "../define.ts";

const limitSchema = z.looseObject({
	tokens: z.number().nullable(),
	usd: z.number().nullable(),
	turns: z.number().nullable(),
});
const spentSchema = z.looseObject({
	tokens: z.number(),
	usd: z.number(),
	turns: z.number(),
	requests: z.number(),
});

export const chatBudgetRead = defineMethod({
	name: "chat.budget.read",
	summary: "Reads budgets and what was spent: today, in a thread, and today by model.",
	scope: "chat.read",
	params: z.strictObject({ thread_id: z.string().min(1).max(100).optional() }),
	result: z.looseObject({
		/** The daemon's local day, as 2026-11-20. */
		day: z.string(),
		limits: z.looseObject({ day: limitSchema, thread: limitSchema }),
		spent: z.looseObject({ day: spentSchema, thread: spentSchema.nullable() }),
		models: z.array(spentSchema.extend({ provider: z.string(), model: z.string(), priced: z.boolean() })),
	}),
	errors: ["CONFIG_INVALID"],
	mutates: false,
});

export const budgetMethods = [chatBudgetRead] as const;
