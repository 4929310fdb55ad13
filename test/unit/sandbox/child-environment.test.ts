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
		LC_ALL: "C",
		NIX_PATH: "nixpkgs=/n",
		TERM: "dumb",
		NO_COLOR: "1",
		PAGER: "cat",
		GIT_PAGER: "cat",
	});
});
