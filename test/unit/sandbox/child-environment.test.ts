import { expect, test } from "vitest";
import { childEnvironment } from "#daemon/agent/sandbox/child-environment.ts";

test("environment: names that only look harmless stay out, and the workspace does not say what a program is", () => {
	const env = childEnvironment({
		PATH: ".:/usr/bin::node_modules/.bin:/bin",
		LC_ALL: "C",
		LC_SESSION_TOKEN: "secret",
		NIX_PATH: "nixpkgs=/n",
		NIX_CONFIG: "access-tokens = github.com=secret",
		BASH_ENV: "/work/evil",
		NODE_OPTIONS: "--require /work/evil",
		GIT_SSH_COMMAND: "/work/evil",
		LD_PRELOAD: "/work/evil",
		WEAVE_READY_FD: "3",
		HOMIE_HOME: "/secret",
	});
	expect(env).toEqual({
		PATH: "/usr/bin:/bin",
		NIX_PATH: "nixpkgs=/n",
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
