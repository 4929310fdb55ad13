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
		context.print(result, lines.length === 0 ? "No models: no provider is logged in." : lines.join("\n"));
		return 0;
	},
});
