// Everything static, in order of speed; goes on after a failure and says at the end what failed.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const bin = (name) => join("node_modules", ".bin", name);
const steps = [
	["types", bin("tsc"), ["-p", "tsconfig.json"]],
	["types, runtime-neutral", bin("tsc"), ["-p", "tsconfig.neutral.json"]],
	["lint and format", bin("biome"), ["ci", "--max-diagnostics=60", "."]],
	["promises and cycles", bin("oxlint"), ["--type-aware", "bin", "src", "daemon", "tui", "test"]],
	["unused", bin("knip"), []],
	["generated files", process.execPath, ["scripts/generate.mjs", "--check"]],
	["codex protocol types", process.execPath, ["scripts/generate-codex-types.mjs", "--check"]],
	[
		"drift of the codex protocol",
		process.execPath,
		["scripts/codex-drift.mjs", "--if-installed", "--codex", "test/oracle/node_modules/.bin/codex"],
	],
	["architecture", bin("vitest"), ["run", "test/architecture"]],
];
const failed = [];
for (const [name, command, args] of steps) {
	const started = performance.now();
	const { status } = spawnSync(command, args, { stdio: "inherit" });
	const verdict = status === 0 ? "ok" : "FAILED";
	console.log(`${verdict.padEnd(7)} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
	if (status !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`check failed: ${failed.join(", ")}`);
process.exit(failed.length === 0 ? 0 : 1);
