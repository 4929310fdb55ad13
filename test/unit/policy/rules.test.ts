import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decide, type PolicyQuestion } from "#daemon/policy/decide.ts";
import { createRuleBook } from "#daemon/policy/rule-book.ts";
import { parseRules, writeRule } from "#daemon/policy/rule-text.ts";
import { type PrefixRule, proposePrefix } from "#daemon/policy/rules.ts";

const TEXT = `# mine
prefix_rule(pattern=["touch"], decision="allow")
prefix_rule(pattern=["mkdir", ["a", "b"]], decision="prompt", justification="careful")
prefix_rule(pattern=["npm"], decision="forbidden", justification="use pnpm", match=["npm i"])
prefix_rule(pattern=["yarn"], decision="forbidden")
`;
const parsed = parseRules(TEXT);
if (typeof parsed === "string") throw new Error(parsed);
const rules: readonly PrefixRule[] = parsed;

function question(command: string, changes: Partial<PolicyQuestion> = {}): PolicyQuestion {
	return {
		tool: "exec_command",
		argv: ["/bin/bash", "-lc", command],
		command,
		shown: "S",
		cwd: "/work",
		paths: [],
		pathsComplete: true,
		approvalPolicy: "on-request",
		sandbox: "read-only",
		sandboxAvailable: true,
		escalated: false,
		justification: null,
		workspaceRoots: ["/work"],
		userHome: null,
		gitRoot: null,
		protectedPaths: { folders: [], files: [], exposed: [] },
		granted: false,
		rules,
		...changes,
	};
}
const run = (sandbox: string) => ({ kind: "run", sandbox });
const rejected = (text: string) => ({ kind: "refuse", text, rejected: true });

describe("prefix rules", () => {
	// Verdicts recorded from codex 0.169.0.
	test.each([
		["touch x", {}, run("danger-full-access")],
		["touch x", { escalated: true }, run("danger-full-access")],
		["touch x && echo hi", {}, run("read-only")],
		["touch x > y", {}, run("read-only")],
		["mkdir a", {}, { kind: "ask", reason: "`S` requires approval: careful", proposedPrefix: null }],
		["mkdir c", {}, run("read-only")],
		["touch q && mkdir b", {}, { kind: "ask", reason: "`S` requires approval: careful" }],
		[
			"mkdir a",
			{ approvalPolicy: "never" },
			rejected("approval required by policy, but AskForApproval is set to Never"),
		],
		["npm test", {}, rejected("`S` rejected: use pnpm")],
		["touch q && npm i", {}, rejected("`S` rejected: use pnpm")],
		["yarn x", {}, rejected("`S` rejected: policy forbids commands starting with `yarn`")],
		["npm i > x", {}, run("read-only")],
	] as const)("prefix rules: %s %j is decided as by the real server when rules are laid down", (...row) => {
		const [command, changes, expected] = row;
		expect(decide(question(command, changes))).toMatchObject(expected);
	});

	test.each([
		["touch a", ["touch"], ["touch"]],
		["touch a", ["mkdir"], ["touch", "a"]],
		["git push origin", ["git"], ["git", "push", "origin"]],
		["git push origin", ["git", "push"], ["git", "push"]],
		["npm run x", ["npm", "run"], ["npm", "run", "x"]],
		["node -e 1", ["node", "-e"], ["node", "-e", "1"]],
		["rm -rf x", ["rm"], ["rm", "-rf", "x"]],
		["cargo run", ["cargo"], ["cargo"]],
	])("prefix rules: of %s with %j the real server's prefix is proposed", (command, wanted, expected) => {
		expect(proposePrefix([command.split(" ")], wanted)).toEqual(expected);
	});

	test.each([
		...[
			"bash",
			"/usr/bin/bash",
			"dash",
			"fish",
			"env",
			"sudo",
			"sudo -n",
			"env A=1",
			"xargs",
			"find",
			"find .",
		],
		...[
			"python3",
			"python3.12 -c",
			"python3 -W ignore",
			"/usr/bin/node --eval",
			"perl -ne",
			"deno run",
			"bash -l",
		],
		...["git", "git -c", "git -C .", "git --exec-path=/tmp/x", "git config", "git st", "git bisect run"],
		...["npx", "npx -y", "npm exec", "docker run --rm", "A=1 ls", "timeout 5", "busybox"],
	])("prefix rules: %s is not allowed for good when the model wants it", (wanted) => {
		const words = wanted.split(" ");
		expect(proposePrefix([[...words, "more"]], words)).not.toEqual(words);
	});

	test.each([
		"bash",
		"sudo id",
		"env A=1 ls",
		"git st",
		"python3",
		"python3 -i",
		"git -c alias.x=!sh x",
		"l\u0008s",
	])("prefix rules: nothing is proposed when %s itself is the command", (command) =>
		expect(proposePrefix([command.split(" ")], null)).toBeNull(),
	);

	test("prefix rules: control characters come back as themselves when a rule is read", () => {
		const words = ["\bash", "\f\u0001\u001b", "a\\b", "é\u007f"];
		expect(parseRules(writeRule(words))).toMatchObject([{ pattern: words.map((word) => [word]) }]);
	});

	test("prefix rules: a file with a mistake says so when it is parsed", () => {
		expect(parseRules('prefix_rule(pattern=["a"], decision="bogus")')).toBe("unknown decision: bogus");
		expect(parseRules("prefix_rule(pattern=[")).toEqual(expect.any(String));
		expect(parseRules("}")).toEqual(expect.any(String));
	});
});

describe("rule book", () => {
	let home: string;
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "weave-rules-"));
	});
	afterEach(() => rm(home, { recursive: true, force: true }));

	test("rule book: an allowed prefix is written as the real server writes it and holds when read again", async () => {
		const book = createRuleBook({ codexHome: home });
		expect(book.current()).toEqual([]);
		await book.allow(["touch", "a b", '"q']);
		await book.allow(["touch", "a b", '"q']);
		expect(await readFile(join(home, "rules/default.rules"), "utf8")).toBe(
			'prefix_rule(pattern=["touch", "a b", "\\"q"], decision="allow")\n',
		);
		expect(createRuleBook({ codexHome: home }).current()).toEqual([
			{ pattern: [["touch"], ["a b"], ['"q']], decision: "allow", justification: null },
		]);
	});

	test("rule book: a pipe among the rules holds nobody up", async () => {
		const book = createRuleBook({ codexHome: home });
		await book.allow(["touch"]);
		execFileSync("mkfifo", [join(home, "rules/a.rules")]);
		expect(book.current()).toHaveLength(1);
	});

	test("rule book: a changed file counts and a broken one counts for nothing when it is looked at", async () => {
		const problems: string[] = [];
		const book = createRuleBook({ codexHome: home, onProblem: (_file, message) => problems.push(message) });
		await book.allow(["touch"]);
		expect(book.current()).toHaveLength(1);
		await writeFile(join(home, "rules/default.rules"), "what?");
		expect(book.current()).toEqual([]);
		expect(book.current()).toEqual([]);
		expect(problems).toHaveLength(1);
	});
});
