import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import type { ScriptedItem, ScriptedModel, ScriptedResponse } from "#test/support/scripted-model.ts";
import type { Conversation, Decision } from "./side.ts";
import type { Trace } from "./trace.ts";

/** What both sides go through, against the same script. */
export interface Scenario {
	readonly name: string;
	readonly responses: readonly ScriptedResponse[];
	/** `never` and `danger-full-access` when left out: no question, no sandbox. */
	readonly policy?: ApprovalPolicy;
	readonly sandbox?: SandboxMode;
	readonly decisions?: readonly Decision[];
	/** Committed to a git repository in the thread's folder. */
	readonly files?: Readonly<Record<string, string>>;
	/** One turn each; ["go"] when left out. */
	readonly prompts?: readonly string[];
	/** While the first turn runs. */
	during?(at: Stage): Promise<void>;
	/** After the last turn: what is still to come, e.g. the end of a command that ran on. */
	afterwards?(at: Stage): Promise<void>;
}

export interface Stage {
	readonly conversation: Conversation;
	readonly model: ScriptedModel;
	readonly trace: Trace;
	/** The thread's folder. */
	readonly cwd: string;
}

const DONE: ScriptedResponse = { items: [{ type: "text", text: "Done." }] };

function exec(cmd: string, more: Record<string, unknown> = {}): ScriptedItem {
	return {
		type: "function_call",
		name: "exec_command",
		args: { cmd, ...more },
		call_id: `call_${cmd.length}`,
	};
}

const commandThenText = (cmd: string, more?: Record<string, unknown>): ScriptedResponse[] => [
	{ items: [exec(cmd, more)] },
	DONE,
];

const ESCALATED = { sandbox_permissions: "require_escalated", justification: "May I make a file?" };

const PATCH = `*** Begin Patch
*** Update File: notes.txt
@@
 one
-two
+TWO
 three
*** Add File: added.txt
+new
*** Delete File: old.txt
*** End Patch
`;
const PATCHED_FILES = { "notes.txt": "one\ntwo\nthree\n", "old.txt": "gone soon\n" };
const patchThenText: ScriptedResponse[] = [
	{ items: [{ type: "custom_tool_call", name: "apply_patch", input: PATCH, call_id: "call_patch" }] },
	DONE,
];

function approvals(
	kind: string,
	base: Omit<Scenario, "name" | "decisions">,
	decisions: readonly Decision[],
): Scenario[] {
	return decisions.map((decision) => ({ ...base, name: `${kind} ${decision}`, decisions: [decision] }));
}

const refused = (status: number, body?: unknown, headers?: Record<string, string>): ScriptedResponse => ({
	status,
	...(body === undefined ? {} : { body }),
	...(headers === undefined ? {} : { headers }),
});
const times = (count: number, response: ScriptedResponse): ScriptedResponse[] =>
	Array.from({ length: count }, () => response);

const PLAIN: readonly Scenario[] = [
	{ name: "simple text", responses: [{ items: [{ type: "text", text: "Hello from the script." }] }] },
	{
		name: "text phases",
		responses: [
			{
				items: [
					{ type: "text", text: "I look.", phase: "commentary" },
					{ type: "text", text: "It is so.", phase: "final_answer" },
				],
			},
		],
	},
	{
		name: "reasoning",
		responses: [
			{
				items: [
					{ type: "reasoning", summary: ["**First** thought", "**Second** thought"] },
					{ type: "text", text: "Thought about it." },
				],
			},
		],
	},
	{ name: "two turns", prompts: ["first", "second"], responses: [DONE, DONE] },
	{ name: "shell auto", responses: commandThenText("printf 'a\\nb\\n'") },
	{ name: "shell auto, standard error", responses: commandThenText("echo err >&2") },
	{ name: "shell auto, failing", responses: commandThenText("echo before; exit 3") },
	{ name: "shell auto, silent", responses: commandThenText("true") },
	{
		name: "shell auto, quoting",
		responses: commandThenText(`: 'a'"b" \\ $HOME "$x" ^y !z é ] * ~ > /dev/null`),
	},
	{
		name: "shell auto, workdir",
		files: { "sub/x": "x" },
		responses: commandThenText("pwd", { workdir: "sub" }),
	},
	{
		name: "unknown tool and broken arguments",
		responses: [
			{
				items: [
					{ type: "function_call", name: "no_such_tool", args: {}, call_id: "call_unknown" },
					{ type: "function_call", name: "exec_command", args: "{not json", call_id: "call_broken" },
				],
			},
			DONE,
		],
	},
];

const APPROVALS: readonly Scenario[] = [
	...approvals(
		"shell untrusted",
		{ policy: "untrusted", responses: commandThenText("touch made.txt && echo made") },
		["accept", "decline", "cancel"],
	),
	{
		name: "shell untrusted acceptForSession",
		policy: "untrusted",
		decisions: ["acceptForSession"],
		responses: [
			{ items: [exec("touch made.txt && echo made")] },
			...commandThenText("touch made.txt && echo made"),
		],
	},
	...approvals(
		"shell on-request",
		{
			policy: "on-request",
			sandbox: "read-only",
			responses: commandThenText("touch made.txt && echo made", ESCALATED),
		},
		["accept", "decline", "cancel"],
	),
	{
		name: "shell on-request acceptForSession",
		policy: "on-request",
		sandbox: "read-only",
		decisions: ["acceptForSession"],
		responses: [
			{ items: [exec("touch made.txt && echo made", ESCALATED)] },
			...commandThenText("touch made.txt && echo made", ESCALATED),
		],
	},
	{
		name: "shell refused under never",
		policy: "never",
		sandbox: "read-only",
		responses: commandThenText("touch made.txt", ESCALATED),
	},
	{ name: "patch auto", files: PATCHED_FILES, responses: patchThenText },
	...approvals("patch untrusted", { policy: "untrusted", files: PATCHED_FILES, responses: patchThenText }, [
		"accept",
		"decline",
		"cancel",
	]),
	{
		name: "patch with an anchor that is not there",
		files: { "notes.txt": "something else\n" },
		responses: [
			{
				items: [
					{
						type: "custom_tool_call",
						name: "apply_patch",
						input: "*** Begin Patch\n*** Update File: notes.txt\n@@ nowhere\n-a\n+b\n*** End Patch\n",
						call_id: "call_patch",
					},
				],
			},
			DONE,
		],
	},
	{
		name: "patch with a context that is not there",
		files: { "notes.txt": "something else\n", "old.txt": "x\n" },
		responses: patchThenText,
	},
];

const shown =
	(text: string) =>
	(lines: readonly string[]): boolean =>
		lines.some((line) => line.includes(text));

const INTERRUPTIONS: readonly Scenario[] = [
	{
		name: "interrupt midstream",
		prompts: ["go", "next"],
		responses: [
			{ items: [{ type: "text", chunks: ["Partial ", "text ", { gate: "never" }, "unseen"] }] },
			{ items: [{ type: "text", text: "after" }] },
		],
		async during({ conversation, trace }) {
			await trace.until(shown("~ message Partial text"));
			await conversation.interrupt();
		},
	},
	{
		name: "interrupt during a command",
		responses: commandThenText(
			"echo start; sleep 0.3; echo more; until [ -e go ]; do sleep 0.05; done; echo late",
		),
		async during({ conversation, trace }) {
			// By then the response has ended; before that, whether it is counted is up to chance.
			await trace.until(() => trace.liveOutput.includes("more"));
			await conversation.interrupt();
		},
		async afterwards({ trace, cwd }) {
			await writeFile(join(cwd, "go"), "");
			await trace.until(shown("= commandExecution"));
		},
	},
	{
		name: "interrupt during an approval",
		policy: "untrusted",
		responses: commandThenText("touch made.txt"),
		async during({ conversation, trace }) {
			await trace.until(shown("? command asked"));
			await conversation.interrupt();
		},
		async afterwards({ trace }) {
			await trace.until(shown("? command resolved"));
			await trace.until(shown("# usage"));
		},
	},
	{
		name: "steer",
		responses: [
			{ items: [{ type: "text", chunks: ["First ", { gate: "go" }, "part."] }] },
			{ items: [{ type: "text", text: "Steered answer." }] },
		],
		async during({ conversation, trace }) {
			await trace.until(shown("~ message First "));
			await conversation.steer("Rather this");
		},
	},
];

const FAILURES: readonly Scenario[] = [
	{
		name: "stream dropped, then closed early, then whole",
		responses: [
			{ items: [{ type: "text", text: "Half an ans", unfinished: true }], end: "drop" },
			{ items: [{ type: "text", text: "Half an ans", unfinished: true }], end: "eof" },
			{ items: [{ type: "text", text: "Whole answer." }] },
		],
	},
	{
		name: "stream dropped for good",
		responses: times(3, { items: [{ type: "text", text: "Half", unfinished: true }], end: "eof" }),
	},
	{ name: "401", responses: times(4, refused(401)) },
	{ name: "403", responses: times(4, refused(403)) },
	{ name: "404", responses: times(4, refused(404)) },
	{ name: "400", responses: [refused(400, { error: { message: "no such parameter", type: "invalid" } })] },
	{ name: "429 with retry-after", responses: [refused(429, undefined, { "retry-after": "1" }), DONE] },
	{ name: "429 without retry-after", responses: times(2, refused(429)) },
	{
		name: "429 usage limit",
		responses: times(2, refused(429, { error: { type: "usage_limit_reached", message: "used up" } })),
	},
	{ name: "500 once", responses: [refused(500), DONE] },
	{ name: "500 for good", responses: times(8, refused(500)) },
	{ name: "connection reset", responses: [{ reset: true }, DONE] },
	{
		name: "context window",
		responses: [{ items: [], end: { failed: { code: "context_length_exceeded", message: "too long" } } }],
	},
	{
		name: "overloaded",
		responses: [{ items: [], end: { failed: { code: "server_is_overloaded", message: "busy" } } }],
	},
	{
		name: "out of quota",
		responses: [{ items: [], end: { failed: { code: "insufficient_quota", message: "none left" } } }],
	},
	{
		name: "incomplete",
		responses: [
			{ items: [{ type: "text", text: "Cut sho" }], end: { incomplete: { reason: "max_output_tokens" } } },
		],
	},
];

export const SCENARIOS: readonly Scenario[] = [...PLAIN, ...APPROVALS, ...INTERRUPTIONS, ...FAILURES];
