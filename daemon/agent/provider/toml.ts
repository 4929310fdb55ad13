import { parse, stringify } from "smol-toml";

/** One TOML value as text, undefined when it is none. */
export function parseTomlValue(text: string): unknown {
	try {
		return parse(`value = ${text}`)["value"];
	} catch {
		return undefined;
	}
}

/** The text of one value on the right of `=`; tables are written inline. */
export function writeTomlValue(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(writeTomlValue).join(", ")}]`;
	if (typeof value === "object" && value !== null && !(value instanceof Date)) {
		const members = Object.entries(value).map(
			([key, member]) => `${writeTomlKey(key)} = ${writeTomlValue(member)}`,
		);
		return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
	}
	return stringify({ value })
		.replace(/^value = /, "")
		.trimEnd();
}

/** A key as it stands in a table: bare where that is allowed. */
export function writeTomlKey(key: string): string {
	return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** @throws TomlError naming line and column. */
export function parseToml(text: string): Record<string, unknown> {
	return parse(text);
}
