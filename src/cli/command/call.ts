import { AppError } from "#base/app-error.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";
import { parseSeconds } from "./option-value.ts";
import { readStdin } from "./read-stdin.ts";

async function parseParams(context: CliContext, word: string | undefined): Promise<unknown> {
	const text = word === "-" ? await readStdin(context) : (word ?? "{}");
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
		const timeoutS = parseSeconds(options["timeout"], "--timeout");
		const key = options["key"];
		const { rpcOnce } = await import("#client/node/rpc-once.ts");
		const result = await rpcOnce(context.paths, method, params, {
			signal: context.signal,
			...(timeoutS === undefined ? {} : { timeoutMs: timeoutS * 1000 }),
			...(typeof key === "string" ? { idempotencyKey: key } : {}),
		});
		context.print(result, JSON.stringify(result, null, 2));
		return 0;
	},
});
