import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { AppError } from "#base/app-error.ts";
import { watchOutput } from "#cli/output-watch.ts";

function failingStream(code: string | undefined): NodeJS.WriteStream {
	const stream = new Writable({
		write(_chunk, _encoding, done) {
			done(code === undefined ? null : Object.assign(new Error(`write ${code}`), { code }));
		},
	});
	return stream as unknown as NodeJS.WriteStream;
}

async function outcome(code: string | undefined): Promise<{ told: AppError[]; thrown: unknown }> {
	const stdout = failingStream(code);
	const told: AppError[] = [];
	const watch = watchOutput({ stdout, stderr: failingStream(undefined) }, (error) => told.push(error));
	stdout.write("data");
	const thrown = await watch.flush().catch((error: unknown) => error);
	return { told, thrown };
}

describe("output watch", () => {
	test("flush resolves when everything was taken", async () => {
		expect(await outcome(undefined)).toEqual({ told: [], thrown: undefined });
	});

	test("a reader that went away ends the command without a word, with the code of SIGPIPE", async () => {
		const { told, thrown } = await outcome("EPIPE");
		expect(told).toHaveLength(1);
		expect(thrown).toMatchObject({ code: "CANCELLED", data: { exit: 141 } });
	});

	test("a full disk is an error, told once", async () => {
		const { told, thrown } = await outcome("ENOSPC");
		expect(told).toHaveLength(1);
		expect(thrown).toMatchObject({ code: "STORAGE_FULL" });
	});

	test("talk that nobody hears stops nothing", async () => {
		const stderr = failingStream("EPIPE");
		const told: AppError[] = [];
		const watch = watchOutput({ stdout: failingStream(undefined), stderr }, (error) => told.push(error));
		await new Promise<void>((resolve) => stderr.write("talk", () => resolve()));
		await watch.flush();
		expect(told).toEqual([]);
	});
});
