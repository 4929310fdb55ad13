import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGit } from "#platform/git.ts";

let root: string;
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "weave-git-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("git: a repository that wants its missing commit fetched by a program of its own starts none", async () => {
	const repository = join(root, "r");
	const mark = join(root, "ran");
	writeFileSync(join(root, "fetch"), `#!/bin/sh\ntouch ${mark}\n`);
	chmodSync(join(root, "fetch"), 0o755);
	execFileSync("git", ["init", "-q", repository]);
	const config = {
		"core.repositoryformatversion": "1",
		"core.fsmonitor": join(root, "fetch"),
		"extensions.partialClone": "origin",
		"protocol.allow": "always",
		"remote.origin.url": repository,
		"remote.origin.promisor": "true",
		"remote.origin.uploadpack": join(root, "fetch"),
	};
	for (const [name, value] of Object.entries(config))
		execFileSync("git", ["config", "--file", join(repository, ".git/config"), name, value]);
	writeFileSync(join(repository, ".git/HEAD"), `${"1".repeat(40)}\n`);
	expect(await createGit({ PATH: process.env["PATH"], HOME: root }).head(repository)).toBeNull();
	expect(existsSync(mark)).toBe(false);
});
