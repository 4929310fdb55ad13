import { expect, test } from "vitest";
import { approvalDigest, canonicalJson } from "#daemon/agent/approval/digest.ts";

const input = {
	argv: ["/bin/bash", "-lc", "ls"],
	cwd: "/w",
	envNames: ["PATH", "HOME"],
	sandbox: "read-only",
	patch: null,
};

test("digest: equal when only the order of variables differs", () => {
	expect(approvalDigest(input)).toBe(approvalDigest({ ...input, envNames: ["HOME", "PATH"] }));
	expect(approvalDigest(input)).toMatch(/^[0-9a-f]{64}$/);
});

test("digest: another one when anything that happens differs", () => {
	const others = [
		{ ...input, argv: ["/bin/bash", "-lc ls"] },
		{ ...input, cwd: "/w/" },
		{ ...input, envNames: ["PATH"] },
		{ ...input, sandbox: "danger-full-access" },
		{ ...input, patch: "" },
	];
	expect(new Set([input, ...others].map(approvalDigest)).size).toBe(6);
});

test("digest: canonical JSON sorts members at every depth", () => {
	expect(canonicalJson({ b: [{ d: 1, c: undefined, a: null }], a: "x" })).toBe(
		'{"a":"x","b":[{"a":null,"d":1}]}',
	);
});
