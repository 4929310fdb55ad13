import type { z } from "zod";
import { jsonFault } from "./json-fault.ts";

/**
 * Parses the JSON that a model sent for a call. The text says what was wrong, in the words that models know from the
 * reference server.
 */
export function parseArguments<T>(schema: z.ZodType<T>, input: string): T | { problem: string } {
	let value: unknown;
	try {
		value = JSON.parse(input);
	} catch (error) {
		return problem(jsonFault(input) ?? String(error));
	}
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	return problem(`${describe(issue, value)} ${position(input)}`);
}

/** Where a failed parse begins, for callers that only ask whether there was one. */
export function isProblem<T>(value: T | { problem: string }): value is { problem: string } {
	return typeof value === "object" && value !== null && "problem" in value;
}

function problem(text: string): { problem: string } {
	return { problem: `failed to parse function arguments: ${text}` };
}

function describe(issue: z.core.$ZodIssue | undefined, value: unknown): string {
	if (issue === undefined) return "invalid arguments";
	const at = valueAt(value, issue.path);
	const name = String(issue.path.at(-1) ?? "arguments");
	if (at === undefined) return `missing field \`${name}\``;
	if (issue.code === "invalid_value")
		return `unknown variant \`${String(at)}\`, expected one of ${issue.values.map((one) => `\`${String(one)}\``).join(", ")}`;
	if (issue.code === "invalid_type")
		return `invalid type: ${kindOf(at)}, expected ${expectedKind(issue.expected)}`;
	return issue.message;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
	let at: unknown = value;
	for (const step of path) {
		if (typeof at !== "object" || at === null) return undefined;
		at = (at as Record<PropertyKey, unknown>)[step];
	}
	return at;
}

function kindOf(value: unknown): string {
	if (value === null) return "null";
	if (Array.isArray(value)) return "sequence";
	if (typeof value === "object") return "map";
	if (typeof value === "string") return `string ${JSON.stringify(value)}`;
	if (typeof value === "number")
		return `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\``;
	return `${typeof value} \`${String(value)}\``;
}

const EXPECTED: Readonly<Record<string, string>> = {
	string: "a string",
	int: "i32",
	number: "a number",
	boolean: "a boolean",
	array: "a sequence",
	object: "a map",
};

function expectedKind(kind: string): string {
	return EXPECTED[kind] ?? kind;
}

/** The end of the text, where a reader that goes from front to back would notice at the latest. */
function position(input: string): string {
	const lines = input.split("\n");
	return `at line ${lines.length} column ${lines.at(-1)?.length ?? 0}`;
}
