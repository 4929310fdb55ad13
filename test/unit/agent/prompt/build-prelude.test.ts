import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelDescription } from "#daemon/agent/model.ts";
import { createPreludeBuilder, type PreludeBuilder } from "#daemon/agent/prompt/build-prelude.ts";
import { truncateBytes } from "#daemon/agent/prompt/project-docs.ts";
import { createFakeClock, type FakeClock } from "#test/support/fake-clock.ts";

let root = "";
let cwd = "";
let clock: FakeClock;
beforeEach(() => {
	root = realpathSync(mkdtempSync(join(tmpdir(), "weave-prompt-")));
	cwd = join(root, "repo", "pkg", "deep");
	mkdirSync(cwd, { recursive: true });
	mkdirSync(join(root, "codex"));
	clock = createFakeClock(Date.UTC(2026, 5, 1, 23, 0));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const readText = (path: string): Promise<string | undefined> => readFile(path, "utf8").catch(() => undefined);

function builder(settings?: {
	developerInstructions: string | null;
	projectDocMaxBytes: number | null;
}): PreludeBuilder {
	return createPreludeBuilder({
		codexHome: join(root, "codex"),
		env: { SHELL: "/usr/bin/zsh" },
		clock,
		environment: { readText },
		timeZone: "Europe/Berlin",
		...(settings ? { settings: () => settings } : {}),
	});
}

const REQUEST = { threadId: "t1", approvalPolicy: "on-request", sandbox: "workspace-write" } as const;

async function texts(
	build: PreludeBuilder,
	change: Partial<Parameters<PreludeBuilder>[0]> = {},
): Promise<{ role: string; parts: string[] }[]> {
	const items = await build({ ...REQUEST, cwd, ...change });
	return items.map((item) => ({
		role: String(item["role"]),
		parts: (item["content"] as { text: string }[]).map((part) => part.text),
	}));
}

test("prompt: base, then rules, then documents and environment, in Codex's order", async () => {
	mkdirSync(join(root, "repo", ".git"));
	writeFileSync(join(root, "repo", ".git", "HEAD"), "ref: refs/heads/main\n");
	writeFileSync(join(root, "AGENTS.md"), "outside");
	writeFileSync(join(root, "repo", "AGENTS.md"), "of the root\n");
	writeFileSync(join(cwd, "AGENTS.md"), "of the folder\n");
	writeFileSync(join(root, "codex", "AGENTS.md"), "of the person\n");
	const [base, rules, context, ...rest] = await texts(
		builder({ developerInstructions: "Be brief.", projectDocMaxBytes: null }),
	);
	expect(rest).toEqual([]);
	expect(base).toMatchObject({
		role: "developer",
		parts: [expect.stringMatching(/^You are a coding agent/)],
	});
	expect(rules?.role).toBe("developer");
	expect(rules?.parts[0]).toBe("Be brief.");
	expect(rules?.parts[1]).toMatch(
		/^<permissions instructions>\n[\s\S]*`workspace-write`[\s\S]*`on-request`[\s\S]*require_escalated/,
	);
	expect(context?.role).toBe("user");
	expect(context?.parts[0]).toBe(
		`# AGENTS.md instructions for ${cwd}\n\n<INSTRUCTIONS>\nof the person\n\n--- project-doc ---\n\nof the root\n\nof the folder\n</INSTRUCTIONS>`,
	);
	expect(context?.parts[1]).toContain(`<cwd>${cwd}</cwd>`);
	expect(context?.parts[1]).toContain("<shell>zsh</shell>");
	expect(context?.parts[1]).toContain("<current_date>2026-06-02</current_date>");
});

test("prompt: outside of a repository only the folder's own document counts", async () => {
	writeFileSync(join(root, "repo", "AGENTS.md"), "above");
	writeFileSync(join(cwd, "AGENTS.md"), "here");
	const context = (await texts(builder())).at(-1);
	expect(context?.parts[0]).toContain("<INSTRUCTIONS>\nhere\n</INSTRUCTIONS>");
});

test("prompt: documents over the limit are cut with a marker, and without documents there is no block", async () => {
	expect((await texts(builder())).at(-1)?.parts).toHaveLength(1);
	writeFileSync(join(cwd, "AGENTS.md"), "x".repeat(50));
	const context = (await texts(builder({ developerInstructions: null, projectDocMaxBytes: 10 }))).at(-1);
	expect(context?.parts[0]).toContain(
		`${"x".repeat(10)}\n[cut here: ${join(cwd, "AGENTS.md")} has 50 bytes, 10 are shown]`,
	);
	expect(truncateBytes("aé", 2, "p")).toBe("a\n[cut here: p has 3 bytes, 1 are shown]");
});

test("prompt: documents stay as they were first read in a folder, while the day and the settings are those of the turn", async () => {
	const build = builder();
	const first = await texts(build);
	writeFileSync(join(cwd, "AGENTS.md"), "new");
	expect(JSON.stringify(await texts(build))).toBe(JSON.stringify(first));
	clock.advance(3 * 24 * 3_600_000);
	const later = await texts(build);
	expect(later.slice(0, 2)).toEqual(first.slice(0, 2));
	expect(later[2]?.parts[0]).toContain("<current_date>2026-06-05</current_date>");
	expect((await texts(build, { threadId: "t2" }))[2]?.parts[0]).toContain("new");
	const changed = await texts(build, { approvalPolicy: "never", sandbox: "read-only" });
	expect(changed[1]?.parts[0]).toMatch(/`read-only`[\s\S]*`never`/);
});

test("prompt: a thread's own instructions and mode take the place of config.toml's and of ours", async () => {
	const build = builder({ developerInstructions: "Of config.", projectDocMaxBytes: null });
	const plan = { mode: "plan", settings: { model: "m", developer_instructions: null } };
	const settings = { base_instructions: "Base.", developer_instructions: "Own.", collaboration_mode: plan };
	const [base, rules] = await texts(build, { settings });
	expect(base?.parts).toEqual(["Base."]);
	expect(rules?.parts[0]).toBe("Own.");
	expect(rules?.parts[2]).toMatch(/^<collaboration_mode># Mode: Plan[\s\S]*<\/collaboration_mode>$/);
	const own = { mode: "default", settings: { developer_instructions: "Mine." } };
	const [, other] = await texts(build, { settings: { collaboration_mode: own } });
	expect(other?.parts).toContain("<collaboration_mode>Mine.</collaboration_mode>");
	expect((await texts(build))[1]?.parts.join("")).not.toContain("collaboration_mode");
});

test("prompt: a review has instructions of its own and no mode", async () => {
	const settings = { base_instructions: "Base.", collaboration_mode: { mode: "plan" } };
	const [base, rules] = await texts(builder(), { kind: "review", settings });
	expect(base?.parts[0]).toMatch(/^You review a change/);
	expect(rules?.parts).toHaveLength(1);
});

test("prompt: a model of code mode is told how its tools are called, and a manner where one is set", async () => {
	const model = { toolMode: "code", baseInstructions: null } as ModelDescription;
	const [base] = await texts(builder(), { model, settings: { personality: "friendly" } });
	expect(base?.parts[0]).toMatch(/`exec` tool[\s\S]*# Manner/);
	const [given] = await texts(builder(), {
		model: { ...model, toolMode: "classic", baseInstructions: "Theirs." },
	});
	expect(given?.parts).toEqual(["Theirs."]);
});

test("prompt: skills of the person and the project are listed by name with their files", async () => {
	mkdirSync(join(root, "repo", ".git"));
	writeFileSync(join(root, "repo", ".git", "HEAD"), "ref: refs/heads/main\n");
	const skill = (folder: string, text: string): void => {
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, "SKILL.md"), text);
	};
	skill(
		join(root, "codex", "skills", ".system", "zoo"),
		"---\nname: zoo\ndescription: >-\n  Long\n  words.\n---\n# Z",
	);
	skill(join(root, "repo", ".codex", "skills", "demo"), '---\nname: demo\ndescription: "A: demo."\n---\n');
	skill(join(cwd, ".codex", "skills", "broken"), "no front matter");
	const [, rules] = await texts(builder());
	const lines = rules?.parts[0]?.split("\n") ?? [];
	expect(lines[0]).toBe("<skills_instructions>");
	expect(lines.filter((line) => line.startsWith("- "))).toEqual([
		`- demo: A: demo. (file: ${join(root, "repo", ".codex", "skills", "demo", "SKILL.md")})`,
		`- zoo: Long words. (file: ${join(root, "codex", "skills", ".system", "zoo", "SKILL.md")})`,
	]);
});

test("prompt: the minimal mode says less", async () => {
	const [full] = await texts(builder());
	const [minimal] = await texts(builder(), { mode: "minimal" });
	expect(minimal?.parts[0]?.length).toBeLessThan((full?.parts[0]?.length ?? 0) / 3);
});
