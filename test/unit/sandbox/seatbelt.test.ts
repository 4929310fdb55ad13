import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listGuardedPlaces } from "#daemon/agent/sandbox/git-places.ts";
import { detectSeatbelt, seatbeltArgv, seatbeltProfile } from "#daemon/agent/sandbox/seatbelt.ts";
import { createTerminalHelper } from "#daemon/agent/sandbox/terminal-helper.ts";

const plan = {
	mode: "workspace-write" as const,
	roots: ['/w "x"'],
	temporary: ["/private/tmp"],
	networkAccess: false,
	hidden: { folders: ["/u/.ssh"], files: ["/u/.netrc"], exposed: ["/u/.codex/skills"] },
};

describe("seatbelt", () => {
	test("seatbelt: guarded and hidden places come after what is open when a profile is made", () => {
		const lines = seatbeltProfile(plan, (root) => [`${root}/sub/.git`]).split("\n");
		const at = (line: string): number => lines.indexOf(line);
		expect(at("(deny default)")).toBe(1);
		const open = at('(allow file-write* (subpath "/w \\"x\\""))');
		expect(open).toBeGreaterThan(1);
		expect(at('(deny file-write* (subpath "/w \\"x\\"/.git"))')).toBeGreaterThan(open);
		expect(at('(deny file-write* (subpath "/w \\"x\\"/sub/.git"))')).toBeGreaterThan(open);
		expect(at('(deny file-read* file-write* network-outbound (subpath "/u/.ssh"))')).toBeGreaterThan(open);
		expect(lines.join("\n")).not.toContain("(allow network-outbound");
	});

	test("seatbelt: nothing is writable when the mode is read-only, and the network opens only when asked", () => {
		const profile = seatbeltProfile({ ...plan, mode: "read-only", networkAccess: true });
		expect(profile).not.toMatch(/allow file-write\* \(subpath/);
		expect(profile).toContain("(allow network-outbound network-inbound network-bind)");
	});

	test("seatbelt: only the system's own program counts when it is looked for", () => {
		expect(detectSeatbelt("linux", () => true)).toBe("sandbox-exec exists on macOS only");
		expect(detectSeatbelt("darwin", () => false)).toMatch(/not found/);
		expect(detectSeatbelt("darwin", () => true)).toEqual({ program: "/usr/bin/sandbox-exec" });
		expect(seatbeltArgv(plan, ["ls", "-l"]).slice(-3)).toEqual(["--", "ls", "-l"]);
	});

	test("terminal helper: a command is wrapped for each system, or the lack told, when a terminal is asked for", () => {
		expect(createTerminalHelper({ PATH: "/nowhere" })(["ls"])).toMatch(/`script` was not found/);
		const PATH = process.env["PATH"];
		const linux = createTerminalHelper({ PATH }, "linux")(["echo", "it's"]);
		expect(linux.slice(1)).toEqual([
			"-qef",
			"-E",
			"always",
			"-c",
			"stty rows 24 cols 80; exec 'echo' 'it'\\''s'",
			"/dev/null",
		]);
		expect(createTerminalHelper({ PATH }, "darwin")(["ls"]).slice(1, 5)).toEqual([
			"-q",
			"/dev/null",
			"/bin/sh",
			"-c",
		]);
	});
});

describe("guarded places", () => {
	let root: string;
	beforeEach(() => {
		root = realpathSync(mkdtempSync(join(tmpdir(), "weave-guarded-")));
	});
	afterEach(() => rmSync(root, { recursive: true, force: true }));

	test("guarded places: nested and linked repositories are found when they lie in the workspace", () => {
		for (const folder of [
			".git",
			"a/b/.git",
			"main/.git/worktrees/x",
			"linked",
			".codex",
			"node_modules/p/.git",
		])
			mkdirSync(join(root, folder), { recursive: true });
		writeFileSync(join(root, "linked/.git"), `gitdir: ${join(root, "main/.git/worktrees/x")}\n`);
		writeFileSync(join(root, "main/.git/worktrees/x/commondir"), "../..\n");
		const places = [".codex", ".git", "a/b/.git", "linked/.git", "main/.git", "main/.git/worktrees/x"];
		expect(listGuardedPlaces(root).sort()).toEqual(places.map((place) => join(root, place)));
	});
});
