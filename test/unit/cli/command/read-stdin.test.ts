import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { readStdin } from "#cli/command/read-stdin.ts";

function stdinOf(stream: PassThrough): NodeJS.ReadStream {
	return stream as unknown as NodeJS.ReadStream;
}

describe("stdin", () => {
	test("is read to its end, a letter cut by a chunk put together again", async () => {
		const stream = new PassThrough();
		const bytes = Buffer.from("größe\n");
		stream.write(bytes.subarray(0, 3));
		stream.end(bytes.subarray(3));
		expect(await readStdin({ stdin: stdinOf(stream), signal: new AbortController().signal })).toBe("größe\n");
	});

	test("an interrupt ends the reading while stdin stays open, with its own reason", async () => {
		const stream = new PassThrough();
		stream.write("half a promp");
		const controller = new AbortController();
		const reading = readStdin({ stdin: stdinOf(stream), signal: controller.signal });
		controller.abort(new AppError("CANCELLED", "Interrupted."));
		await expect(reading).rejects.toThrow(expect.objectContaining({ code: "CANCELLED" }));
	});

	test("more than one frame of the gateway is refused", async () => {
		const stream = new PassThrough();
		stream.end(Buffer.alloc(4 * 1024 * 1024 + 1));
		const reading = readStdin({ stdin: stdinOf(stream), signal: new AbortController().signal });
		await expect(reading).rejects.toThrow(expect.objectContaining({ code: "PROTOCOL_LIMIT" }));
	});
});
