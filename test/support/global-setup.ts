import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** The tests of the whole product run the bundle, so it is made anew from what is being tested. */
export function setup(): void {
	const root = join(import.meta.dirname, "../..");
	const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], {
		cwd: root,
		encoding: "utf8",
	});
	if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}
