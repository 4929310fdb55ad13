import type { PrefixRule } from "./rules.ts";

/** One token of the rules language, the part of Starlark that calls with literals are made of. */
type Token = { kind: "text"; value: string } | { kind: "name" | "mark"; value: string };
type Value = string | Value[] | boolean;

const TOKEN = /\s+|#[^\n]*|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|([A-Za-z_]\w*)|([()[\],=])/y;

class RuleSyntaxError extends Error {}

/** One rule as Codex writes it into `default.rules`, newline included. */
export function writeRule(pattern: readonly string[]): string {
	return `prefix_rule(pattern=[${pattern.map((word) => JSON.stringify(word)).join(", ")}], decision="allow")\n`;
}

/** The prefix rules of a file; the text says what is wrong with it. Calls other than `prefix_rule` are passed over. */
export function parseRules(text: string): readonly PrefixRule[] | string {
	try {
		const tokens = tokenize(text);
		const rules: PrefixRule[] = [];
		let at = 0;
		while (at < tokens.length) {
			const call = readCall(tokens, at);
			at = call.end;
			if (call.name === "prefix_rule") rules.push(toRule(call.members));
		}
		return rules;
	} catch (error) {
		if (error instanceof RuleSyntaxError) return error.message;
		throw error;
	}
}

function tokenize(text: string): Token[] {
	const tokens: Token[] = [];
	TOKEN.lastIndex = 0;
	while (TOKEN.lastIndex < text.length) {
		const at = TOKEN.lastIndex;
		const found = TOKEN.exec(text);
		if (found === null) throw new RuleSyntaxError(`unexpected text at ${at}: ${text.slice(at, at + 20)}`);
		const quoted = found[1] ?? found[2];
		if (quoted !== undefined) tokens.push({ kind: "text", value: unescaped(quoted) });
		else if (found[3] !== undefined) tokens.push({ kind: "name", value: found[3] });
		else if (found[4] !== undefined) tokens.push({ kind: "mark", value: found[4] });
	}
	return tokens;
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
	Object.entries({ n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", a: "\u0007" }),
);

/** A control character must come back as itself: a rule for `\b` and `ash` would else be one for `bash`. */
function unescaped(text: string): string {
	return text.replaceAll(
		/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g,
		(_all, unit: string | undefined, byte: string | undefined, char: string | undefined) => {
			const code = unit ?? byte;
			if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
			return ESCAPES.get(char ?? "") ?? char ?? "";
		},
	);
}

interface Call {
	name: string;
	members: Map<string, Value>;
	end: number;
}

function expect(tokens: readonly Token[], at: number, mark: string): void {
	const token = tokens[at];
	if (token?.kind !== "mark" || token.value !== mark)
		throw new RuleSyntaxError(`'${mark}' expected, not '${token?.value ?? "the end"}'`);
}

function readCall(tokens: readonly Token[], start: number): Call {
	const name = tokens[start];
	if (name?.kind !== "name") throw new RuleSyntaxError(`a call expected, not '${name?.value ?? "the end"}'`);
	expect(tokens, start + 1, "(");
	const members = new Map<string, Value>();
	let at = start + 2;
	while (!isMark(tokens[at], ")")) {
		const member = tokens[at];
		if (member?.kind !== "name") throw new RuleSyntaxError("a named argument expected");
		expect(tokens, at + 1, "=");
		const read = readValue(tokens, at + 2);
		members.set(member.value, read.value);
		at = read.end;
		if (isMark(tokens[at], ",")) at += 1;
		else expect(tokens, at, ")");
	}
	return { name: name.value, members, end: at + 1 };
}

function readValue(tokens: readonly Token[], at: number): { value: Value; end: number } {
	const token = tokens[at];
	if (token?.kind === "text") return { value: token.value, end: at + 1 };
	if (token?.kind === "name" && /^(?:True|False|None)$/.test(token.value))
		return { value: token.value === "True", end: at + 1 };
	expect(tokens, at, "[");
	const items: Value[] = [];
	let next = at + 1;
	while (!isMark(tokens[next], "]")) {
		const read = readValue(tokens, next);
		items.push(read.value);
		next = read.end;
		if (isMark(tokens[next], ",")) next += 1;
		else expect(tokens, next, "]");
	}
	return { value: items, end: next + 1 };
}

function isMark(token: Token | undefined, mark: string): boolean {
	return token?.kind === "mark" && token.value === mark;
}

function toRule(members: ReadonlyMap<string, Value>): PrefixRule {
	const pattern = members.get("pattern");
	const decision = members.get("decision") ?? "allow";
	const justification = members.get("justification");
	if (!Array.isArray(pattern) || pattern.length === 0)
		throw new RuleSyntaxError("a pattern is a list of words");
	if (decision !== "allow" && decision !== "prompt" && decision !== "forbidden")
		throw new RuleSyntaxError(`unknown decision: ${String(decision)}`);
	return {
		pattern: pattern.map((part) => (Array.isArray(part) ? part.map(String) : [String(part)])),
		decision,
		justification: typeof justification === "string" ? justification : null,
	};
}
