import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Item, itemSchema, type TurnError, tokenUsageSchema } from "#protocol/codex-item.ts";
import { type OracleMessage, startCodexOracle } from "#test/support/codex-oracle.ts";
import { type Conversation, MODEL, type Side, type ThreadSettings } from "./side.ts";
import type { Trace } from "./trace.ts";

interface TurnRecord {
	id: string;
	status: string;
	error: TurnError | null;
}

function itemOf(params: Record<string, unknown>): Item | null {
	const parsed = itemSchema.safeParse(params["item"]);
	return parsed.success ? parsed.data : null;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

type Teller = (trace: Trace, params: Record<string, unknown>) => void;

/** What is compared, by the notification's name; the others (status, rate limits, settings) are the front end's own. */
const TELLERS: ReadonlyMap<string, Teller> = new Map<string, Teller>([
	["turn/started", (trace) => trace.turn("started")],
	[
		"turn/completed",
		(trace, { turn }) => {
			const { status, error } = turn as TurnRecord;
			trace.turn(status, error);
		},
	],
	[
		"item/started",
		(trace, params) => {
			const item = itemOf(params);
			if (item) trace.started(item);
		},
	],
	[
		"item/completed",
		(trace, params) => {
			const item = itemOf(params);
			if (item) trace.completed(item);
		},
	],
	[
		"item/agentMessage/delta",
		(trace, { itemId, delta }) => trace.delta("message", text(itemId), text(delta)),
	],
	[
		"item/reasoning/summaryTextDelta",
		(trace, { itemId, summaryIndex, delta }) =>
			trace.delta("reasoning", `${text(itemId)}/${String(summaryIndex)}`, text(delta)),
	],
	["item/commandExecution/outputDelta", (trace, { delta }) => trace.output(text(delta))],
	["thread/tokenUsage/updated", (trace, { tokenUsage }) => trace.usage(tokenUsageSchema.parse(tokenUsage))],
	["turn/diff/updated", (trace, { diff }) => trace.diff(text(diff))],
	["error", (trace, { error, willRetry }) => trace.error(error as TurnError, willRetry === true)],
	[
		"item/commandExecution/requestApproval",
		(trace, { command, cwd, reason }) =>
			trace.approval(
				"command",
				`asked [${text(command)}] in ${text(cwd)}, ${JSON.stringify(reason ?? null)}`,
			),
	],
	["item/fileChange/requestApproval", (trace) => trace.approval("patch", "asked")],
]);

/** The real program. `root` holds its homes. */
export async function startCodexSide(root: string): Promise<Side> {
	const codexHome = join(root, "codex-home");
	await mkdir(codexHome, { recursive: true });
	const oracle = await startCodexOracle({ root, codexHome });

	async function open({ cwd, policy, sandbox, decisions, trace }: ThreadSettings): Promise<Conversation> {
		const left = [...decisions];
		const kinds = new Map<unknown, string>();
		let turnId = "";
		let threadId = "";

		function answer({ id, method }: OracleMessage): void {
			if (id === undefined) return;
			kinds.set(id, method.startsWith("item/fileChange") ? "patch" : "command");
			const decision = left.shift();
			if (decision !== undefined) oracle.respond(id, { decision });
		}

		const listening = oracle.listen((message) => {
			if (message.params["threadId"] !== threadId) return;
			if (message.method === "turn/started") turnId = (message.params["turn"] as TurnRecord).id;
			if (message.method === "serverRequest/resolved")
				trace.approval(kinds.get(message.params["requestId"]) ?? "unknown", "resolved");
			TELLERS.get(message.method)?.(trace, message.params);
			answer(message);
		});
		const started = await oracle.request("thread/start", {
			cwd,
			model: MODEL,
			approvalPolicy: policy,
			sandbox,
		});
		threadId = (started["thread"] as { id: string }).id;
		const input = (words: string) => [{ type: "text", text: words, text_elements: [] }];

		return {
			send: async (words) => void (await oracle.request("turn/start", { threadId, input: input(words) })),
			async steer(words) {
				await oracle.request("turn/steer", { threadId, expectedTurnId: turnId, input: input(words) });
			},
			interrupt: async () => void (await oracle.request("turn/interrupt", { threadId, turnId })),
			[Symbol.dispose]: () => listening[Symbol.dispose](),
		};
	}

	return { codexHome, open, [Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose]() };
}
