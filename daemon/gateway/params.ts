import { createHash } from "node:crypto";
import type { z } from "zod";
import { AppError } from "#base/app-error.ts";

/** Enough to mend a call; more would only repeat the schema. */
const ISSUES_MAX = 8;
const REASON_MAX_CHARS = 300;

interface Issue {
	path: string;
	reason: string;
}

function pathOf(path: readonly PropertyKey[]): string {
	return path.reduce<string>(
		(text, part) =>
			typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
		"",
	);
}

function toIssues(error: z.core.$ZodError): Issue[] {
	return error.issues.slice(0, ISSUES_MAX).map((issue) => ({
		path: pathOf(issue.path).slice(0, REASON_MAX_CHARS),
		reason: issue.message.slice(0, REASON_MAX_CHARS),
	}));
}

/** Parses by the method's schema, defaults filled in. @throws AppError INVALID_PARAMS naming path and reason. */
export function parseParams(schema: z.ZodType, params: unknown): unknown {
	const parsed = schema.safeParse(params ?? {});
	if (parsed.success) return parsed.data;
	const issues = toIssues(parsed.error);
	const words = issues.map(({ path, reason }) => (path === "" ? reason : `${path}: ${reason}`)).join("; ");
	throw new AppError("INVALID_PARAMS", words, { data: { issues } });
}

function sortMembers(_key: string, value: unknown): unknown {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
	return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same for the same parameters, in whatever order their members came. */
export function digestOf(params: unknown): string {
	return createHash("sha256")
		.update(JSON.stringify(params ?? null, sortMembers))
		.digest("hex");
}
