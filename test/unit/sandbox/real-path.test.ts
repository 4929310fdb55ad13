import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { childEnvironment } from "#daemon/agent/sandbox/child-environment.ts";
import { resolveRealPath } from "#daemon/agent/sandbox/real-path.ts";
import { holdsProtected, isInside, isProtected, listProtectedPaths } from "#daemon/policy/protected.ts";
import { resolvePaths } from "#platform/paths.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "weave-real-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("real path: links are followed when they exist, dangle or turn in a ring", () => {
	mkdirSync(join(root, "a"));
	symlinkSync(join(root, "a"), join(root, "to-a"));
	symlinkSync("../gone/x", join(root, "a/dangling"));
	symlinkSync("ring", join(root, "ring"));
	expect(resolveRealPath(join(root, "to-a/new/file"))).toBe(join(root, "a/new/file"));
	expect(resolveRealPath(join(root, "to-a/dangling/y"))).toBe(join(root, "gone/x/y"));
	expect(resolveRealPath(join(root, "ring"))).toContain(root);
	expect(resolveRealPath(join(root, "a/../b"))).toBe(join(root, "b"));
});

test("protected: homes, sockets and credentials are listed, linked ones under both names", () => {
	mkdirSync(join(root, "real-ssh"));
	mkdirSync(join(root, "user"));
	symlinkSync(join(root, "real-ssh"), join(root, "user/.ssh"));
	const env = {
		HOME: join(root, "user"),
		HOMIE_HOME: join(root, "homie"),
		KUBECONFIG: "/k/config",
		XDG_RUNTIME_DIR: join(root, "run"),
	};
	const places = resolvePaths({ ...env, WEAVE_HOME: join(root, "w".repeat(120)) });
	const list = listProtectedPaths(places, env, resolveRealPath);
	for (const path of [
		"homie/token",
		"homie/daemon.sock",
		"user/.ssh/x",
		"real-ssh/x",
		"user/.aws/credentials",
		"user/.codex/auth.json",
		"user/.netrc",
	]) {
		expect(isProtected(join(root, path), list)).toBe(true);
	}
	expect(isProtected("/k/config", list)).toBe(true);
	// A long home moves its socket elsewhere, and the wall with it.
	expect(isProtected(places.coordSocket, list)).toBe(true);
	for (const path of ["user/.codex/skills/a", "user/.sshx", "homie2", "user"])
		expect(isProtected(join(root, path), list)).toBe(false);
	expect(holdsProtected(root, list)).toBe(true);
	expect(holdsProtected(join(root, "a"), list)).toBe(false);
});

test("protected: a folder with the same beginning is another one", () => {
	expect([
		isInside("/a/b", "/a"),
		isInside("/a", "/a"),
		isInside("/ab", "/a"),
		isInside("/a/..b", "/a"),
		isInside("/x", "/"),
	]).toEqual([true, true, false, true, true]);
});

test("environment: only what is allowed goes on", () => {
	const child = childEnvironment({
		PATH: "/bin",
		LC_ALL: "C",
		AWS_SECRET_ACCESS_KEY: "s",
		HOMIE_HOME: "/h",
		WEAVE_AUTO_APPROVE: "1",
		NOTHING: undefined,
	});
	expect(child).toEqual({
		PATH: "/bin",
		TERM: "dumb",
		COLORTERM: "",
		NO_COLOR: "1",
		PAGER: "cat",
		GIT_PAGER: "cat",
		GH_PAGER: "cat",
		LANG: "C.UTF-8",
		LC_ALL: "C.UTF-8",
		LC_CTYPE: "C.UTF-8",
		CODEX_CI: "1",
	});
});
