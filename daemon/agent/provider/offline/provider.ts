import type { NewId } from "#base/id.ts";
import type { ModelEvent, ModelItem, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import { type AnswerPorts, answerIntent, commandAnswer } from "./answer.ts";
import { parseIntent } from "./intent.ts";

export const OFFLINE_PROVIDER_NAME = "offline";
const EXEC_TOOL = "exec_command";
/** Longest piece of a streamed answer; deltas stay small frames. */
const MAX_DELTA_CHARS = 4_096;

/** Context that is no message of a person: the prompt's own parts and the loop's marker. */
const CONTEXT =
	/^(?:<(?:environment_context|skill|user_shell_command|user_action)>|# AGENTS\.md instructions)/;
const TURN_ABORTED = "<turn_aborted>";
/** Outputs the loop and the runner write for calls whose end nobody saw: nothing to show. */
const UNSEEN = /^(?:aborted|Wall time: [\d.]+ seconds\naborted|The daemon stopped before )/;
/** Of what was asked, a compacted thread keeps this many messages, and of each the first line. */
const KEPT_MESSAGES = 20;

export interface OfflineProviderOptions extends AnswerPorts {
	readonly newId: NewId;
	/** Why there is no model, for status. */
	readonly detail: string;
}

function textOf(item: ModelItem): string {
	const content = item["content"];
	if (!Array.isArray(content)) return "";
	return content
		.map((part: { text?: unknown } | null) => (typeof part?.text === "string" ? part.text : ""))
		.join("");
}

/** What waits for an answer: messages and outputs after the last thing the agent said or called. */
function pendingOf(input: readonly ModelItem[]): { outputs: string[]; messages: string[] } {
	const last = input.findLastIndex(
		(item) =>
			(item.type === "message" && item["role"] === "assistant") ||
			item.type === "function_call" ||
			(item.type === "message" && textOf(item).startsWith(TURN_ABORTED)),
	);
	const outputs: string[] = [];
	const messages: string[] = [];
	for (const item of input.slice(last + 1)) {
		if (item.type === "function_call_output" && typeof item["output"] === "string") {
			if (!UNSEEN.test(item["output"])) outputs.push(item["output"]);
		} else if (item.type === "message" && item["role"] === "user") {
			const text = textOf(item);
			if (!CONTEXT.test(text)) messages.push(text);
		}
	}
	return { outputs, messages };
}

/** What stands for the thread when it is compacted: what was asked, newest last. The last message asks for this summary. */
function summaryOf(input: readonly ModelItem[]): string {
	const asked = input
		.filter((item) => item.type === "message" && item["role"] === "user")
		.map(textOf)
		.filter((text) => !CONTEXT.test(text) && !text.startsWith(TURN_ABORTED))
		.slice(0, -1)
		.slice(-KEPT_MESSAGES)
		.map((text) => `- ${text.split("\n", 1)[0]}`);
	return asked.length === 0 ? "Nothing was asked so far." : ["Asked so far:", ...asked].join("\n");
}

function* say(text: string, newId: NewId): Generator<ModelEvent> {
	const id = `msg_${newId()}`;
	yield { type: "item_started", item: { id, kind: "message", phase: null } };
	for (const line of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
		for (let from = 0; from < line.length; from += MAX_DELTA_CHARS) {
			yield { type: "text_delta", itemId: id, delta: line.slice(from, from + MAX_DELTA_CHARS) };
		}
	}
	const content = [{ type: "output_text", text, annotations: [] }];
	yield { type: "item_done", item: { id, type: "message", role: "assistant", status: "completed", content } };
}

/**
 * The agent for a machine without a login: on the same loop as a model, with the same tools and approvals, but by fixed
 * rules. It runs commands, searches the workspace and the notes with citations, keeps notes, and never pretends to be more.
 */
export function createOfflineProvider(options: OfflineProviderOptions): ModelProvider {
	const { newId } = options;

	async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
		if (request.kind === "compaction") {
			yield* say(summaryOf(request.input), newId);
			yield { type: "completed", usage: null };
			return;
		}
		const { outputs, messages } = pendingOf(request.input);
		const canExec = request.tools.some((tool) => tool["name"] === EXEC_TOOL);
		const texts = outputs.map(commandAnswer);
		const commands: string[] = [];
		for (const message of messages) {
			const intent = parseIntent(message);
			if (intent.kind !== "run")
				texts.push(await answerIntent(intent, { cwd: request.cwd, ports: options, signal }));
			else if (canExec) commands.push(intent.command);
			else texts.push("Commands can't be run in this thread.");
			if (signal.aborted) return;
		}
		if (texts.length > 0) yield* say(texts.join("\n\n"), newId);
		// Without login files: they print things of their own, and the thread has its client's environment already.
		for (const command of commands) {
			const call = {
				id: `fc_${newId()}`,
				call_id: `call_${newId()}`,
				name: EXEC_TOOL,
				arguments: JSON.stringify({ cmd: command, login: false }),
			};
			yield { type: "item_done", item: { type: "function_call", status: "completed", ...call } };
		}
		yield { type: "completed", usage: null };
	}

	return {
		name: OFFLINE_PROVIDER_NAME,
		detail: options.detail,
		defaultModel: null,
		contextWindow: null,
		retries: { request: 0, stream: 0 },
		stream,
		compaction: "local",
		providerId: OFFLINE_PROVIDER_NAME,
		describe: () => ({
			id: OFFLINE_PROVIDER_NAME,
			toolMode: "classic",
			toolsInInput: false,
			contextWindow: null,
			autoCompactTokens: null,
			baseInstructions: null,
			supportsParallelToolCalls: false,
			takesImages: false,
			defaultEffort: null,
		}),
		listModels: () => [],
	};
}
