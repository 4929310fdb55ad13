import { defineCommand } from "../descriptor.ts";

export const modelsCommand = defineCommand({
	program: "weave-codex",
	name: "models",
	summary: "List the models that threads can use here.",
	examples: [
		{ command: "weave-codex models", says: "the default is marked" },
		{ command: "weave-codex models --json", says: "for scripts" },
	],
	json: true,
	async run(context) {
		const client = await context.connectOrStart();
		const result = await client.call("chat.model.list", {});
		const lines = result.models.map(
			(model) => `${model.is_default ? "*" : " "} ${model.id}  (${model.provider})`,
		);
		const missing = (result.providers ?? [])
			.filter(({ usable }) => !usable)
			.map(({ name, detail }) => `- ${name}: ${detail}`);
		const found = lines.length === 0 ? ["No models: no provider is logged in."] : lines;
		context.print(result, [...found, ...missing].join("\n"));
		return 0;
	},
});
