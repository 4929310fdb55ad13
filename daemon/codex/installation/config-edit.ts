import { parseToml, writeTomlKey, writeTomlValue } from "#daemon/agent/provider/toml.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";

/** One change of a config file; a null value takes the key away. */
export interface ConfigEdit {
	readonly path: readonly string[];
	readonly value: unknown;
	/** `upsert` merges tables, `replace` puts the value in place of what is there. */
	readonly strategy: "replace" | "upsert";
}

/** Splits `a."b.c".d` into its names; undefined when quotes or names are missing. */
export function parseKeyPath(text: string): readonly string[] | undefined {
	const names: string[] = [];
	const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^."'\s]+))\s*(\.|$)/y;
	while (pattern.lastIndex < text.length) {
		const [whole, quoted, literal, bare, dot] = pattern.exec(text) ?? [];
		if (whole === undefined) return undefined;
		names.push(quoted === undefined ? (literal ?? bare ?? "") : String(JSON.parse(`"${quoted}"`)));
		if (dot === "") return names;
	}
	return undefined;
}

interface Line {
	readonly text: string;
	/** Table that the line belongs to; of a header the one it opens. Null in arrays of tables. */
	readonly table: readonly string[] | null;
	/** Key names of an assignment, from the table on. */
	readonly key: readonly string[] | null;
	readonly isHeader: boolean;
}

/** How many more brackets and multi-line quotes a value opens than it closes; comments and texts left out. */
function isComplete(assignment: string): boolean {
	try {
		parseToml(assignment);
		return true;
	} catch {
		return false;
	}
}

function keyOf(text: string): readonly string[] | null {
	const at = /^\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+|\s*\.\s*)+?)\s*=/.exec(text)?.[1];
	return at === undefined ? null : (parseKeyPath(at) ?? null);
}

/** Cuts a valid file into statements; a value over several lines stays in one. */
function readLines(text: string): Line[] {
	const lines: Line[] = [];
	let table: readonly string[] | null = [];
	const raw = text.split("\n");
	for (let at = 0; at < raw.length; at += 1) {
		let statement = raw[at] ?? "";
		const header = /^\s*\[(?!\[)(.*)\]\s*(?:#.*)?$/.exec(statement)?.[1];
		const isArray = /^\s*\[\[/.test(statement);
		if (header !== undefined || isArray) {
			table = isArray ? null : (parseKeyPath(header ?? "") ?? null);
			lines.push({ text: statement, table, key: null, isHeader: true });
			continue;
		}
		const key = keyOf(statement);
		while (key !== null && !isComplete(statement) && at + 1 < raw.length) {
			at += 1;
			statement += `\n${raw[at]}`;
		}
		lines.push({ text: statement, table, key, isHeader: false });
	}
	return lines;
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
	return start.every((name, index) => path[index] === name);
}

/** Where a line says something of `path` or of what is below it. */
function concerns(line: Line, path: readonly string[]): boolean {
	if (line.table === null) return false;
	return (
		startsWith(line.isHeader ? line.table : [...line.table, ...(line.key ?? [])], path) &&
		(line.isHeader || line.key !== null)
	);
}

function lookUp(config: JsonObject, path: readonly string[]): unknown {
	let value: unknown = config;
	for (const name of path) {
		if (!isObject(value)) return undefined;
		value = value[name];
	}
	return value;
}

function removePath(lines: readonly Line[], path: readonly string[]): Line[] {
	return lines.filter((line) => !concerns(line, path));
}

function assignment(path: readonly string[], value: unknown): string {
	return `${path.map(writeTomlKey).join(".")} = ${writeTomlValue(value)}`;
}

/** Puts one value into the table that is there, or into a new one at the end; top-level keys go before the first table. */
function insertValue(lines: readonly Line[], path: readonly string[], value: unknown): Line[] {
	const table = path.slice(0, -1);
	const name = path.slice(-1);
	const line: Line = { text: assignment(name, value), table, key: name, isHeader: false };
	if (table.length === 0) {
		const last = lines.findLastIndex((one) => one.table?.length === 0 && one.key !== null);
		const first = lines.findIndex((one) => one.isHeader);
		const end = lines.at(-1)?.text === "" ? lines.length - 1 : lines.length;
		const at = last >= 0 ? last + 1 : first < 0 ? end : first;
		return [...lines.slice(0, at), line, ...lines.slice(at)];
	}
	const same = (one: Line): boolean => one.table?.length === table.length && startsWith(one.table, table);
	const last = lines.findLastIndex((one) => same(one) && (one.isHeader || one.key !== null));
	if (last >= 0 && lines.some((one) => one.isHeader && same(one)))
		return [...lines.slice(0, last + 1), line, ...lines.slice(last + 1)];
	const header: Line = { text: `[${table.map(writeTomlKey).join(".")}]`, table, key: null, isHeader: true };
	const blank: Line = { text: "", table, key: null, isHeader: false };
	const body = lines.at(-1)?.text === "" ? lines.slice(0, -1) : lines;
	return [...body, ...(body.length > 0 ? [blank] : []), header, line, blank];
}

/** Leaf assignments of a value: tables become tables of the file, not inline ones. */
function leaves(path: readonly string[], value: unknown): { path: readonly string[]; value: unknown }[] {
	if (!isObject(value) || Object.keys(value).length === 0) return [{ path, value }];
	return Object.entries(value).flatMap(([name, member]) => leaves([...path, name], member));
}

function replaceInPlace(lines: readonly Line[], path: readonly string[], value: unknown): Line[] | undefined {
	const at = lines.findIndex(
		(line) =>
			line.key !== null &&
			line.table !== null &&
			[...line.table, ...line.key].length === path.length &&
			concerns(line, path),
	);
	const found = lines[at];
	if (!found?.key) return undefined;
	return lines.with(at, { ...found, text: assignment(found.key, value) });
}

/** The nearest inline table above `path`, which has to be written as a whole. */
function inlineAbove(lines: readonly Line[], path: readonly string[]): readonly string[] | undefined {
	for (const line of lines) {
		if (line.key === null || line.table === null) continue;
		const full = [...line.table, ...line.key];
		if (full.length < path.length && startsWith(path, full)) return full;
	}
	return undefined;
}

function withValue(base: unknown, path: readonly string[], value: unknown): unknown {
	const [name, ...rest] = path;
	if (name === undefined) return value;
	const members = isObject(base) ? base : {};
	const next = withValue(members[name], rest, value);
	if (next === null) return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
	return { ...members, [name]: next };
}

function writeLeaf(text: string, path: readonly string[], value: unknown): string {
	const lines = readLines(text);
	const above = inlineAbove(lines, path);
	if (above !== undefined) {
		const whole = withValue(lookUp(parseToml(text), above), path.slice(above.length), value);
		return (replaceInPlace(lines, above, whole) ?? lines).map((line) => line.text).join("\n");
	}
	const changed =
		value === null
			? removePath(lines, path)
			: (replaceInPlace(lines, path, value) ?? insertValue(removePath(lines, path), path, value));
	return changed.map((line) => line.text).join("\n");
}

/** The file with the change in it; comments and the order of what stays are kept. `text` must be valid TOML. */
export function editConfig(text: string, { path, value, strategy }: ConfigEdit): string {
	if (value === null || value === undefined) return writeLeaf(text, path, null);
	const isTable = isObject(value);
	const start = strategy === "replace" && isTable ? writeLeaf(text, path, null) : text;
	return leaves(path, value).reduce((done, leaf) => writeLeaf(done, leaf.path, leaf.value), start);
}
