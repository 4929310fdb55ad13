import { AppError } from "#base/app-error.ts";
import { defineCommand } from "../descriptor.ts";

export const apiSchemaCommand = defineCommand({
	program: "weave-codex",
	name: "api schema",
	summary: "List methods and topics, or print the JSON Schema of one; with --json of all.",
	arguments: [{ name: "name", summary: "a method or a topic", required: false, complete: "method" }],
	options: [{ flags: "--openapi", summary: "print the OpenAPI 3.1 document of the HTTP side instead" }],
	examples: [
		{ command: "weave-codex api schema", says: "what there is" },
		{ command: "weave-codex api schema chat.create", says: "parameters and result of one method" },
		{ command: "weave-codex api schema --openapi > openapi.json", says: "for generators" },
	],
	json: true,
	async run(context, { args, options }) {
		const { createOpenApiDocument, createSchemaDocument, describeName } = await import(
			"#protocol/schema-document.ts"
		);
		const [name] = args;
		if (options["openapi"] === true) {
			const document = createOpenApiDocument();
			context.print(document, JSON.stringify(document, null, 2));
			return 0;
		}
		if (name !== undefined) {
			const found = describeName(name);
			if (!found) throw new AppError("NOT_FOUND", `There is no method or topic ${name}.`);
			context.print({ name, ...found }, JSON.stringify({ name, ...found }, null, 2));
			return 0;
		}
		const { METHODS } = await import("#protocol/service/index.ts");
		const { TOPICS } = await import("#protocol/topic/index.ts");
		const widthCells = Math.max(...[...METHODS, ...TOPICS].map((one) => one.name.length)) + 2;
		const lines = [
			"Methods",
			...METHODS.map((method) => `  ${method.name.padEnd(widthCells)}${method.summary}`),
			"Topics",
			...TOPICS.map((topic) => `  ${topic.name.padEnd(widthCells)}${topic.summary}`),
		];
		context.print(context.json ? createSchemaDocument() : undefined, lines.join("\n"));
		return 0;
	},
});
