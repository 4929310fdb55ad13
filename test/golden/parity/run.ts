import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type ScriptedModel, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";
import type { Scenario } from "./scenario.ts";
import type { Side } from "./side.ts";
import { createTrace, normalizer } from "./trace.ts";

/** What came of a scenario on one side. */
export interface Outcome {
	readonly events: readonly string[];
	/** Per model request: the conversation that it carried, without what each side says ahead of it. */
	readonly requests: readonly (readonly string[])[];
	readonly diff: string;
}

/** Few retries, so that failures come to their end soon; the same for both. */
const PROVIDER = `request_max_retries = 1
stream_max_retries = 2
stream_idle_timeout_ms = 20000

[analytics]
enabled = false
`;

const run = promisify(execFile);

async function fillFolder(cwd: string, files: Readonly<Record<string, string>> | undefined): Promise<void> {
	await mkdir(cwd, { recursive: true });
	if (files === undefined) return;
	for (const [path, text] of Object.entries(files)) {
		await mkdir(dirname(join(cwd, path)), { recursive: true });
		await writeFile(join(cwd, path), text);
	}
	const who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
	await run("git", ["init", "-q", "-b", "main"], { cwd });
	await run("git", ["add", "-A"], { cwd });
	await run("git", [...who, "commit", "-q", "-m", "start"], { cwd });
}

function textOf(content: unknown): string {
	if (!Array.isArray(content)) return String(content);
	return content.map((part: { text?: unknown }) => (typeof part.text === "string" ? part.text : "")).join("");
}

function describeInput(item: Record<string, unknown>): string {
	const { type, role, name, output } = item;
	switch (type) {
		case "message":
			return `${String(role)} ${JSON.stringify(textOf(item["content"]))}`;
		case "function_call":
		case "custom_tool_call":
			return `call ${String(name)}`;
		case "function_call_output":
		case "custom_tool_call_output":
			return `output ${JSON.stringify(typeof output === "string" ? output : textOf(output))}`;
		default:
			return String(type);
	}
}

/** From the first prompt on. */
function conversationOf(body: unknown, prompt: string): string[] {
	const input = (body as { input: Record<string, unknown>[] }).input.map(describeInput);
	const first = input.indexOf(`user ${JSON.stringify(prompt)}`);
	return first === -1 ? input : input.slice(first);
}

function turnsEnded(lines: readonly string[]): number {
	return lines.filter((line) => /^turn (completed|interrupted|failed)/.test(line)).length;
}

/** Goes through a scenario on one side, in a folder and with a model of its own. */
export async function play(scenario: Scenario, side: Side, cwd: string): Promise<Outcome> {
	await using model: ScriptedModel = await startScriptedModel({ responses: scenario.responses });
	writeCodexHome(side.codexHome, model.url, PROVIDER);
	await fillFolder(cwd, scenario.files);
	const normalize = normalizer(new Map([[cwd, "<cwd>"]]));
	const trace = createTrace(normalize);
	using conversation = await side.open({
		cwd,
		policy: scenario.policy ?? "never",
		sandbox: scenario.sandbox ?? "danger-full-access",
		decisions: scenario.decisions ?? [],
		trace,
	});
	const prompts = scenario.prompts ?? ["go"];
	for (const [index, prompt] of prompts.entries()) {
		await conversation.send(prompt);
		if (index === 0) await scenario.during?.({ conversation, model, trace, cwd });
		await trace.until((lines) => turnsEnded(lines) > index);
	}
	await scenario.afterwards?.({ conversation, model, trace, cwd });
	return {
		events: trace.lines(),
		requests: model.requests.map(({ body }) => conversationOf(body, prompts[0] ?? "").map(normalize)),
		diff: trace.lastDiff(),
	};
}
