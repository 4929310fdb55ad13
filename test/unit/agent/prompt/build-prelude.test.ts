import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
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

test("prompt: a thread's prelude stays the same bytes while days pass and files change, until its settings change", async () => {
	const build = builder();
	const first = JSON.stringify(await texts(build));
	clock.advance(3 * 24 * 3_600_000);
	writeFileSync(join(cwd, "AGENTS.md"), "new");
	expect(JSON.stringify(await texts(build))).toBe(first);
	expect(JSON.stringify(await texts(build, { threadId: "t2" }))).not.toBe(first);
	const changed = await texts(build, { approvalPolicy: "never", sandbox: "read-only" });
	expect(changed[1]?.parts[0]).toMatch(/`read-only`[\s\S]*`never`/);
});

test("prompt: the minimal mode says less", async () => {
	const [full] = await texts(builder());
	const [minimal] = await texts(builder(), { mode: "minimal" });
	expect(minimal?.parts[0]?.length).toBeLessThan((full?.parts[0]?.length ?? 0) / 3);
});
