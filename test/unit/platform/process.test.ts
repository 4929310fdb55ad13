import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { isSameProcess } from "#platform/identity.ts";
import { type ProcessRequest, type RunningProcess, startProcess } from "#platform/process.ts";
import { createOutputCollector } from "#platform/process-output.ts";
import { createPipePool } from "#platform/process-pipe.ts";
import { readProcessStartTime } from "#platform/process-start.ts";

const cwd = realpathSync(mkdtempSync(join(tmpdir(), "weave-process-")));
const pipes = createPipePool(2);
const noPipes = createPipePool(0);
afterAll(() => {
	pipes[Symbol.dispose]();
	rmSync(cwd, { recursive: true, force: true });
});

function sh(script: string, changes: Partial<ProcessRequest> = {}, pool = pipes): RunningProcess {
	const request = {
		argv: ["/bin/sh", "-c", script],
		cwd,
		env: { PATH: process.env["PATH"] ?? "" },
		outputLimitBytes: 1000,
	};
	return startProcess({ ...request, ...changes }, { clock: systemClock, pipes: pool });
}

describe("output collector", () => {
	test("output: text is whole when characters are split over chunks", () => {
		const collector = createOutputCollector(100);
		const bytes = Buffer.from("aä€😀z");
		const parts = Array.from(bytes, (_, index) => collector.push(bytes.subarray(index, index + 1)));
		expect(parts.join("") + collector.flush()).toBe("aä€😀z");
		expect(collector.text()).toBe("aä€😀z");
	});

	test("output: head and tail stay, in whole characters, when it is over the bound", () => {
		const collector = createOutputCollector(20);
		collector.push(Buffer.from(`${"ä".repeat(30)}end`));
		expect(collector.totalBytes).toBe(63);
		expect(collector.text()).toBe("äääää\n[... 43 bytes left out ...]\näääend");
	});

	test("output: exactly the bound is kept whole", () => {
		const collector = createOutputCollector(7);
		for (const part of ["ab", "cde", "fg"]) collector.push(Buffer.from(part));
		expect(collector.text()).toBe("abcdefg");
	});
});

describe("process", () => {
	test("process: stdout and stderr keep their order when they alternate", async () => {
		await pipes.ready();
		const script = "for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done; exit 4";
		const result = await sh(script).done;
		expect(result).toMatchObject({
			exitCode: 4,
			signal: null,
			startError: null,
			output: "o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\n",
		});
	});

	test("process: output comes too when no pipe is ready", async () => {
		expect((await sh("echo a; echo b >&2", {}, noPipes).done).output.split("\n").sort()).toEqual([
			"",
			"a",
			"b",
		]);
	});

	test("process: the environment is exactly what was given", async () => {
		expect(
			(await sh("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=", { env: { A: "1" } }).done).output,
		).toBe("A=1\n");
	});

	test("process: a program that is not there is a result", async () => {
		const running = sh("", { argv: [join(cwd, "nothing")] });
		expect(running.pid).toBeNull();
		expect(await running.done).toMatchObject({ exitCode: 127, startError: expect.stringMatching(/ENOENT/) });
		expect((await sh("", { argv: [] }).done).startError).toBe("No program was named.");
		expect((await sh("", { argv: ["/bin/sh", "-c", "a\0b"] }).done).startError).toMatch(/null bytes/);
	});

	test("process: it ends with the program when a child keeps the output open", async () => {
		const running = sh("sleep 30 & echo $!");
		const result = await running.done;
		expect(result).toMatchObject({ exitCode: 0 });
		process.kill(Number(result.output), "SIGKILL");
	});

	test("process: the whole group ends when it is killed, the stubborn by force", async () => {
		const running = sh("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done'");
		const child = await new Promise<number>(
			(resolve) => void running.onOutput((text) => resolve(Number(text))),
		);
		const startTime = readProcessStartTime(child) ?? "";
		expect(isSameProcess({ pid: child, start_time: startTime })).toBe(true);
		running.kill(50);
		expect(await running.done).toMatchObject({ signal: "SIGKILL", exitCode: 137 });
		await expect.poll(() => isSameProcess({ pid: child, start_time: startTime })).toBe(false);
	});

	test("process: many at once get their own output when they outnumber the pipes", async () => {
		const all = await Promise.all(Array.from({ length: 12 }, (_, index) => sh(`echo ${index}`).done));
		expect(all.map((one) => one.output)).toEqual(Array.from({ length: 12 }, (_, index) => `${index}\n`));
	});

	test("process: identity is null for a pid that is not there", () => {
		expect(readProcessStartTime(2 ** 22 + 1)).toBeNull();
		expect(readProcessStartTime(process.pid)).toMatch(/^\d+$/);
	});
});
