import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGit } from "#platform/git.ts";

let root: string;
let env: Record<string, string>;
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "git-"));
	env = { PATH: process.env["PATH"] ?? "", HOME: root };
});
afterEach(() => rm(root, { recursive: true, force: true }));

function git(...args: string[]): string {
	const who = ["-c", "user.name=t", "-c", "user.email=t@t"];
	return execFileSync("git", [...who, ...args], { cwd: root, env, encoding: "utf8" }).trim();
}

test("git: tells the commit of HEAD, also from a folder below, and null where there is none", async () => {
	const { head } = createGit(env);
	expect(await head(root)).toBeNull();
	git("init", "-q");
	expect(await head(root)).toBeNull();
	git("commit", "-q", "--allow-empty", "-m", "one");
	mkdirSync(join(root, "sub"));
	expect(await head(join(root, "sub"))).toBe(git("rev-parse", "HEAD"));
	expect(await head(join(root, "nowhere"))).toBeNull();
});

test("git: starts no program that the repository names, and writes nothing into it", async () => {
	git("init", "-q");
	git("commit", "-q", "--allow-empty", "-m", "one");
	const touched = join(root, "touched");
	const program = join(root, "program.sh");
	writeFileSync(program, `#!/bin/sh\ntouch ${touched}\n`);
	chmodSync(program, 0o755);
	git("config", "core.fsmonitor", program);
	git("config", "core.hooksPath", root);
	expect(await createGit(env).head(root)).toMatch(/^[0-9a-f]{40}$/);
	expect(existsSync(touched)).toBe(false);
});

test("git: a git that hangs is given up, one that is absent is no answer", async () => {
	const bin = join(root, "bin");
	mkdirSync(bin);
	expect(await createGit({ ...env, PATH: bin }).head(root)).toBeNull();
	writeFileSync(join(bin, "git"), "#!/bin/sh\nexec /bin/sleep 60\n");
	chmodSync(join(bin, "git"), 0o755);
	expect(await createGit({ ...env, PATH: bin }, 50).head(root)).toBeNull();
});
