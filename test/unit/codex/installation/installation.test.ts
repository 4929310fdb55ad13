import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFixedMethods } from "#daemon/codex/installation/fixed-methods.ts";
import { createGitMethods } from "#daemon/codex/installation/git-methods.ts";
import { createSkillMethods } from "#daemon/codex/installation/skill-methods.ts";
import { createGit } from "#platform/git.ts";
import { createFakeConnection } from "./fake-connection.ts";

let root: string;
beforeEach(() => {
	root = realpathSync(mkdtempSync(join(tmpdir(), "codex-installation-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const client = createFakeConnection();

function writeSkill(folder: string, head: string): string {
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, "SKILL.md"), head);
	return join(folder, "SKILL.md");
}

describe("skills/list", () => {
	test("skills: those of the project and of the Codex home are told with their scope and whether they are on", async () => {
		const [home, project] = [join(root, "codex"), join(root, "project")];
		const head = (name: string): string => `---\nname: ${name}\ndescription: "does ${name}"\n---\n`;
		const own = writeSkill(join(project, ".codex/skills/a"), head("a"));
		const shared = writeSkill(join(project, ".agents/skills/b"), head("b"));
		const user = writeSkill(join(home, "skills/c"), head("c"));
		const broken = writeSkill(join(home, "skills/d"), "no head");
		writeFileSync(
			join(home, "config.toml"),
			`[[skills.config]]\npath = ${JSON.stringify(user)}\nenabled = false\n`,
		);
		const methods = createSkillMethods({ codexHome: home, cwd: root });
		const answer = (await methods["skills/list"]?.({ cwds: [project] }, client)) as {
			data: { skills: { path: string }[]; errors: { path: string }[]; cwd: string }[];
		};
		const [row] = answer.data;
		expect(row?.cwd).toBe(project);
		expect(row?.skills.toSorted((x, y) => (x.path < y.path ? 1 : -1))).toEqual(
			[
				{ path: own, name: "a", scope: "repo", enabled: true },
				{ path: shared, name: "b", scope: "repo", enabled: true },
				{ path: user, name: "c", scope: "user", enabled: false },
			]
				.map((skill) => ({ ...skill, description: `does ${skill.name}`, pluginId: null }))
				.toSorted((x, y) => (x.path < y.path ? 1 : -1)),
		);
		expect(row?.errors).toMatchObject([{ path: broken }]);
	});

	test("skills: a folder without any has empty lists, and the server's own folder is the default", async () => {
		const methods = createSkillMethods({ codexHome: join(root, "none"), cwd: root });
		expect(await methods["skills/list"]?.({}, client)).toEqual({
			data: [{ cwd: root, skills: [], errors: [] }],
		});
	});
});

describe("gitDiffToRemote", () => {
	const env = { PATH: process.env["PATH"], HOME: tmpdir() };
	const methods = createGitMethods({ git: createGit(env).read });

	function git(cwd: string, ...args: readonly string[]): string {
		const who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
		return execFileSync("git", [...who, ...args], { cwd, encoding: "utf8" }).trim();
	}

	test("git: what a folder has beyond its remote is told with the commit that both know", async () => {
		const [origin, work] = [join(root, "origin"), join(root, "work")];
		mkdirSync(origin);
		git(origin, "init", "-q", "-b", "main");
		writeFileSync(join(origin, "a.txt"), "one\n");
		git(origin, "add", "-A");
		git(origin, "commit", "-q", "-m", "one");
		git(root, "clone", "-q", origin, work);
		const sha = git(work, "rev-parse", "HEAD");
		writeFileSync(join(work, "a.txt"), "two\n");
		git(work, "commit", "-q", "-a", "-m", "two");
		writeFileSync(join(work, "a.txt"), "three\n");
		const answer = (await methods["gitDiffToRemote"]?.({ cwd: work }, client)) as {
			sha: string;
			diff: string;
		};
		expect(answer.sha).toBe(sha);
		expect(answer.diff).toContain("-one\n+three");
	});

	test("git: a folder without a remote is refused by name", async () => {
		git(root, "init", "-q");
		await expect(methods["gitDiffToRemote"]?.({ cwd: root }, client)).rejects.toThrow(
			`failed to compute git diff to remote for cwd: ${JSON.stringify(root)}`,
		);
	});
});

describe("what this installation has none of", () => {
	const methods = createFixedMethods({ cwd: "/here" });

	test("fixed: lists are empty in the shape that clients read", () => {
		expect(methods["hooks/list"]?.({ cwds: ["/a"] }, client)).toEqual({
			data: [{ cwd: "/a", hooks: [], warnings: [], errors: [] }],
		});
		expect(methods["hooks/list"]?.({}, client)).toMatchObject({ data: [{ cwd: "/here" }] });
		expect(methods["app/list"]?.({}, client)).toEqual({ data: [], nextCursor: null });
		expect(methods["plugin/installed"]?.({}, client)).toMatchObject({ marketplaces: [] });
	});

	test("fixed: the Windows sandbox is said to have failed right after the answer", () => {
		const asking = createFakeConnection();
		expect(methods["windowsSandbox/setupStart"]?.({ mode: "elevated" }, asking)).toEqual({ started: true });
		expect(asking.told).toEqual([]);
		asking.answered();
		expect(asking.told).toMatchObject([
			{ method: "windowsSandbox/setupCompleted", params: { mode: "elevated", success: false } },
		]);
	});

	test("fixed: nothing is sent to anybody when a client uploads feedback", () => {
		expect(() => methods["feedback/upload"]?.({}, client)).toThrow("not sent anywhere");
	});
});
