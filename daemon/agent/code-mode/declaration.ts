type Schema = Readonly<Record<string, unknown>>;

const asSchema = (value: unknown): Schema =>
	value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Schema) : {};
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Schemas nest no deeper than this in what models are shown. */
const MAX_DEPTH = 6;
const NAMES: Readonly<Record<string, string>> = {
	string: "string",
	number: "number",
	integer: "number",
	boolean: "boolean",
	null: "null",
};

const property = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function objectType(schema: Schema, indent: string, depth: number): string {
	const properties = Object.entries(asSchema(schema["properties"]));
	if (properties.length === 0) {
		const rest = schema["additionalProperties"];
		if (rest === false || (rest === undefined && schema["properties"] !== undefined)) return "{}";
		return `{ [key: string]: ${rest === undefined || rest === true ? "unknown" : typeOf(rest, indent, depth + 1)} }`;
	}
	const required = new Set(asList(schema["required"]));
	const inner = `${indent}  `;
	const lines = properties
		.toSorted(([one], [other]) => (one < other ? -1 : 1))
		.flatMap(([name, value]) => {
			const said = asSchema(value)["description"];
			const comment =
				typeof said === "string" ? said.split("\n").map((line) => `${inner}// ${line}`.trimEnd()) : [];
			const mark = required.has(name) ? "" : "?";
			return [...comment, `${inner}${property(name)}${mark}: ${typeOf(value, inner, depth + 1)};`];
		});
	return ["{", ...lines, `${indent}}`].join("\n");
}

function arrayType(schema: Schema, indent: string, depth: number): string {
	return `Array<${schema["items"] === undefined ? "unknown" : typeOf(schema["items"], indent, depth + 1)}>`;
}

/** A JSON Schema as a TypeScript type; what has no counterpart is `unknown`. */
export function typeOf(value: unknown, indent = "", depth = 0): string {
	const schema = asSchema(value);
	if (depth > MAX_DEPTH) return "unknown";
	const choices = schema["enum"] ?? (schema["const"] === undefined ? undefined : [schema["const"]]);
	if (Array.isArray(choices) && choices.length > 0)
		return choices.map((choice) => JSON.stringify(choice)).join(" | ");
	const union = asList(schema["anyOf"] ?? schema["oneOf"]);
	if (union.length > 0) return union.map((part) => typeOf(part, indent, depth + 1)).join(" | ");
	const type = schema["type"];
	if (Array.isArray(type))
		return type.map((one) => typeOf({ ...schema, type: one }, indent, depth)).join(" | ");
	if (type === "array") return arrayType(schema, indent, depth);
	if (type === "object" || schema["properties"] !== undefined) return objectType(schema, indent, depth);
	return NAMES[String(type)] ?? "unknown";
}

/** How a script calls a tool: its arguments and what it gives. */
export function declareTool(name: string, input: { parameters: unknown } | "text", result: string): string {
	const argument = input === "text" ? "input: string" : `args: ${typeOf(input.parameters)}`;
	return `declare const tools: { ${name}(${argument}): Promise<${result}>; };`;
}
