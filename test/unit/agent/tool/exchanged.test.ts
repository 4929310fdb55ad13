import { existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createToolBench, lastItem } from "./tool-bench.ts";

test("exec_command: nothing runs when its folder was exchanged for a link while the person thought", async () => {
	await using bench = await createToolBench(() => {
		renameSync(join(bench.cwd, "sub"), join(bench.cwd, "gone"));
		symlinkSync(join(bench.root, "user"), join(bench.cwd, "sub"));
		return Promise.resolve({ decision: "accept_for_session", resolvedBy: "test" });
	});
	mkdirSync(join(bench.cwd, "sub"));
	const call = JSON.stringify({
		cmd: "touch made",
		workdir: "sub",
		sandbox_permissions: "require_escalated",
	});
	const result = await bench.exec.execute(call, bench.context);
	expect(result).toMatchObject({ success: false, output: expect.stringMatching(/leads elsewhere/) });
	expect(existsSync(join(bench.root, "user/made")) || existsSync(join(bench.cwd, "gone/made"))).toBe(false);
	expect(lastItem(bench.told).status).toBe("failed");
	expect(bench.context.sessionGrants.size).toBe(0);
});
