import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const MODULE = join(import.meta.dirname, "../../../src/platform/inherited-descriptors.ts");
const PROGRAM = `
const { closeInheritedDescriptors } = await import(${JSON.stringify(MODULE)});
closeInheritedDescriptors(process.env);
const { execFileSync } = await import("node:child_process");
const { fstatSync } = await import("node:fs");
fstatSync(41);
process.stdout.write(execFileSync("/bin/ls", ["/proc/self/fd"], { encoding: "utf8" }).replaceAll("\\n", " "));
`;

test.skipIf(process.platform !== "linux")(
	"descriptors: what the starter had open reaches no child, what was handed over stays open",
	() => {
		const script = `exec 40</etc 41</dev/null 200</; exec "$0" --input-type=module -e "$1"`;
		const env = { ...process.env, WEAVE_READY_FD: "41" };
		const seen = execFileSync("/bin/bash", ["-c", script, process.execPath, PROGRAM], {
			env,
			encoding: "utf8",
		});
		expect(seen.trim().split(" ")).not.toContain("40");
		expect(seen.trim().split(" ")).not.toContain("200");
	},
);
