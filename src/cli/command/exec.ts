import type { ApprovalPolicy, RunnerKind, SandboxMode } from "#protocol/record.ts";
import type { MethodInput } from "#protocol/service/index.ts";
import { type CliContext, type CommandInput, defineCommand } from "../descriptor.ts";
import { parseSeconds, textOption } from "./option-value.ts";

const APPROVALS = ["untrusted", "on-request", "never"] as const satisfies readonly ApprovalPolicy[];
const SANDBOXES = [
	"read-only",
	"workspace-write",
	"danger-full-access",
] as const satisfies readonly SandboxMode[];

const BACKENDS = ["embedded", "cli"] as const satisfies readonly RunnerKind[];

function choice<T extends string>(known: readonly T[], value: string | undefined): T | undefined {
	return known.find((candidate) => candidate === value);
}

/** Members left out stay out: the daemon has the defaults. */
function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
		[K in keyof T]: Exclude<T[K], undefined>;
	};
}

async function run(context: CliContext, { args, options }: CommandInput): Promise<number> {
	const { resolve } = await import("node:path");
	const { readPrompt, resolveThread } = await import("./chat-input.ts");
	const { runChatTurn } = await import("./chat-turn.ts");
	const approvalTimeoutS = parseSeconds(options["approvalTimeout"], "--approval-timeout");
	const text = await readPrompt(context, args);
	const client = await context.connectOrStart();
	const settings = {
		model: textOption(options, "model"),
		approval_policy: choice(APPROVALS, textOption(options, "approval")),
		sandbox: choice(SANDBOXES, textOption(options, "sandbox")),
		runner: choice(BACKENDS, textOption(options, "backend")),
	};
	const thread = textOption(options, "thread");
	let threadId: string;
	if (thread === undefined) {
		// The daemon keeps what is on its list; what looks like a secret does not even travel.
		const env = given(
			Object.fromEntries(
				Object.entries(context.env).filter(([name]) => !/KEY|TOKEN|SECRET|PASS|CREDENTIAL/iu.test(name)),
			),
		);
		const params: MethodInput<"chat.create"> = {
			cwd: resolve(context.cwd, textOption(options, "cd") ?? "."),
			env,
			...given({
				...settings,
				provider: textOption(options, "provider"),
				agent_name: textOption(options, "agent"),
			}),
		};
		const created = await client.call("chat.create", params, { signal: context.signal });
		threadId = created.thread.thread_id;
	} else {
		threadId = await resolveThread(client, thread);
		const change = given(settings);
		if (Object.keys(change).length > 0)
			await client.call("chat.settings.update", { thread_id: threadId, ...change });
	}
	if (context.json) context.print({ type: "thread.started", thread_id: threadId });
	return runChatTurn(context, client, { threadId, text, whenBusy: "queue", approvalTimeoutS });
}

/** One headless turn (contracts.md 1). */
export const execCommand = defineCommand({
	program: "weave-codex",
	name: "exec",
	summary: "Run one turn of an agent and print its answer.",
	description:
		"The answer goes to stdout, everything else to stderr; with --json each event is a line. While an approval waits, any client may " +
		"answer it. Exits with 0 when completed, 1 when failed, 130 when interrupted, 77 when an approval was not given in time. Ctrl+C interrupts the turn.",
	arguments: [
		{
			name: "prompt",
			summary: "what to do; `-`, or nothing in a pipe, reads it from stdin",
			required: false,
			variadic: true,
		},
	],
	options: [
		{ flags: "-C, --cd <dir>", summary: "working folder of the agent", complete: "directory" },
		{ flags: "-m, --model <model>", summary: "model to use" },
		{ flags: "--provider <name>", summary: "provider to use" },
		{ flags: "--approval <policy>", summary: "when to ask", choices: APPROVALS },
		{ flags: "--sandbox <mode>", summary: "what commands may touch", choices: SANDBOXES },
		{
			flags: "--backend <name>",
			summary: "who runs its turns: weave-codex, or the codex program",
			choices: BACKENDS,
		},
		{ flags: "--thread <id>", summary: "go on in this thread (id or agent name)" },
		{ flags: "--agent <name>", summary: "name of the new agent" },
		{
			flags: "--approval-timeout <seconds>",
			summary: "give up when an approval takes longer; 0: do not wait",
		},
	],
	examples: [
		{ command: 'weave-codex exec "why does the build fail?"', says: "ask in this folder" },
		{ command: "weave-codex exec --json -C ~/project - < task.txt", says: "events as NDJSON" },
		{ command: 'weave-codex exec --approval never --sandbox read-only "run ls -la"', says: "never ask" },
	],
	json: true,
	run,
});
