import { AppError } from "#base/app-error.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";

/** Same as one frame of the gateway. */
const PARAMS_MAX_BYTES = 4 * 1024 * 1024;

async function readAll(context: CliContext): Promise<string> {
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	for await (const chunk of context.stdin) {
		const bytes = Buffer.from(chunk as Uint8Array | string);
		sizeBytes += bytes.length;
		if (sizeBytes > PARAMS_MAX_BYTES)
			throw new AppError("PROTOCOL_LIMIT", `Parameters have at most ${PARAMS_MAX_BYTES} bytes.`);
		chunks.push(bytes);
	}
	return Buffer.concat(chunks).toString("utf8");
}

async function parseParams(context: CliContext, word: string | undefined): Promise<unknown> {
	const text = word === "-" ? await readAll(context) : (word ?? "{}");
	try {
		return JSON.parse(text.trim() === "" ? "{}" : text);
	} catch (error) {
		throw new AppError(
			"USAGE",
			`The parameters are no JSON: ${error instanceof Error ? error.message : ""}`,
			{ cause: error },
		);
	}
}

/** @throws AppError USAGE. */
function parseTimeoutMs(value: string | boolean | undefined): number | undefined {
	if (value === undefined) return undefined;
	const seconds = Number(value);
	if (!Number.isFinite(seconds) || seconds < 0)
		throw new AppError("USAGE", "--timeout takes seconds; 0 waits without limit.");
	return seconds * 1000;
}

export const callCommand = defineCommand({
	program: "weave-codex",
	name: "call",
	summary: "Call any method of the daemon and print its result as JSON.",
	arguments: [
		{
			name: "method",
			summary: "name of the method; `weave-codex api schema` lists them",
			required: true,
			complete: "method",
		},
		{ name: "params", summary: "parameters as JSON, or - to read them from stdin", required: false },
	],
	options: [
		{ flags: "--key <key>", summary: "idempotency key: repeating the call returns the first result" },
		{ flags: "--timeout <seconds>", summary: "how long to wait; 0 without limit (default 30)" },
	],
	examples: [
		{ command: "weave-codex call daemon.status", says: "the daemon's state" },
		{
			command: `weave-codex call weave.session.create '{"name":"review"}' --key once`,
			says: "create a session, at most once",
		},
	],
	json: true,
	async run(context, { args, options }) {
		const [method = "", word] = args;
		const params = await parseParams(context, word);
		const timeoutMs = parseTimeoutMs(options["timeout"]);
		const key = options["key"];
		const { rpcOnce } = await import("#client/node/rpc-once.ts");
		const result = await rpcOnce(context.paths, method, params, {
			signal: context.signal,
			...(timeoutMs === undefined ? {} : { timeoutMs }),
			...(typeof key === "string" ? { idempotencyKey: key } : {}),
		});
		context.print(result, JSON.stringify(result, null, 2));
		return 0;
	},
});
