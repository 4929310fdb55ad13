import { defineCommand } from "../descriptor.ts";

interface Amounts {
	tokens: number | null;
	usd: number | null;
	turns: number | null;
}

const number = (value: number): string => value.toLocaleString("en-US");
const of = (limit: string | null): string => (limit === null ? "" : ` of ${limit}`);

/** Small sums in full: a cent is many calls. */
const dollars = (value: number): string => `$${value.toFixed(value > 0 && value < 0.1 ? 4 : 2)}`;

function line(name: string, spent: Amounts, limit: Amounts): string {
	const tokens = `${number(spent.tokens ?? 0)}${of(limit.tokens === null ? null : number(limit.tokens))} tokens`;
	const usd = `${dollars(spent.usd ?? 0)}${of(limit.usd === null ? null : `$${limit.usd}`)}`;
	const turns = `${number(spent.turns ?? 0)}${of(limit.turns === null ? null : number(limit.turns))} turns`;
	return `${name.padEnd(8)} ${tokens}, ${usd}, ${turns}`;
}

export const budgetCommand = defineCommand({
	program: "weave-codex",
	name: "budget",
	summary: "Say what models cost today and what may still be spent.",
	description:
		"Budgets are settings: budget.day.* and budget.thread.* with tokens, usd and turns. A call over a budget is not made; its turn fails, and exec exits with 75.",
	options: [{ flags: "--thread <id>", summary: "also of this thread (id or agent name)" }],
	examples: [
		{ command: "weave-codex budget", says: "today, by model" },
		{ command: "weave-codex budget --json", says: "the same as data" },
	],
	json: true,
	async run(context, { options }) {
		const client = await context.connectOrStart();
		const { resolveThread } = await import("./chat-input.ts");
		const { textOption } = await import("./option-value.ts");
		const thread = textOption(options, "thread");
		const threadId = thread === undefined ? undefined : await resolveThread(client, thread);
		const result = await client.call(
			"chat.budget.read",
			threadId === undefined ? {} : { thread_id: threadId },
		);
		const { spent, limits, models } = result;
		const lines = [
			line("today", spent.day, limits.day),
			...(spent.thread === null ? [] : [line("thread", spent.thread, limits.thread)]),
			...models.map((model) => {
				const money = model.priced ? dollars(model.usd) : "price unknown";
				return `  ${model.model} (${model.provider}): ${number(model.tokens)} tokens, ${money}`;
			}),
		];
		context.print(result, lines.join("\n"));
		return 0;
	},
});
