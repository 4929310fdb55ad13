import { PassThrough } from "node:stream";
import type { CliContext } from "#cli/descriptor.ts";
import { resolvePaths } from "#platform/paths.ts";

/** A command's surroundings without a process or a terminal; what it printed is kept. */
export interface TestContext extends CliContext {
	readonly printed: { value: unknown; human: string | undefined }[];
	readonly said: string[];
	/** What was written to stdout directly. */
	written(): string;
	abort(reason: unknown): void;
}

function refuse(): never {
	throw new Error("this command should not connect");
}

export function createTestContext(
	env: Record<string, string>,
	options: { json?: boolean } = {},
): TestContext {
	const stdout = new PassThrough();
	let written = "";
	stdout.setEncoding("utf8").on("data", (chunk: string) => {
		written += chunk;
	});
	const controller = new AbortController();
	const printed: TestContext["printed"] = [];
	const said: string[] = [];
	return {
		program: "weave-codex",
		stdin: new PassThrough() as unknown as NodeJS.ReadStream,
		stdout: stdout as unknown as NodeJS.WriteStream,
		stderr: new PassThrough() as unknown as NodeJS.WriteStream,
		env,
		cwd: "/",
		paths: resolvePaths(env),
		signal: controller.signal,
		json: options.json ?? false,
		connect: refuse,
		connectOrStart: refuse,
		print: (value, human) => void printed.push({ value, human }),
		say: (line) => void said.push(line),
		printed,
		said,
		written: () => written,
		abort: (reason) => controller.abort(reason),
	};
}
