import type { ModelWire, WriteAnswer } from "./faulty-model.ts";
import { fineAnswer } from "./model-faults.ts";

/** Kinds of turns that a fault is to hit. */
export const WORK_KINDS = ["approved", "sandboxed", "background", "mcp", "code", "question", "text"] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

/** How often a turn of the kind does something that leaves a line. */
const STEPS = 3;
const DELTAS = 400;
const DELTA_EVERY_MS = 5;

export interface Work {
	readonly kind: WorkKind;
	/** Begins every line that the turn leaves. */
	readonly id: string;
}

/** What the person says to have the work done. */
export const workText = ({ kind, id }: Work): string => `work: ${kind} ${id}.`;

/** Members of `thread/start` for it, beside the folder. */
export function workThread(kind: WorkKind): Record<string, unknown> {
	if (kind === "approved") return { approvalPolicy: "on-request", sandbox: "read-only" };
	const model = kind === "code" ? "gpt-5.6-sol" : kind === "question" ? "gpt-5.5" : "scripted-1";
	return { approvalPolicy: "never", sandbox: "workspace-write", model };
}

/** Members of `turn/start` for it: only in plan mode may a model ask its person. */
export function workTurn(kind: WorkKind): Record<string, unknown> {
	if (kind !== "question") return {};
	const settings = { model: "gpt-5.5", reasoning_effort: null, developer_instructions: null };
	return { collaborationMode: { mode: "plan", settings } };
}

function textOf(item: Record<string, unknown>): string {
	return item["role"] === "user" ? JSON.stringify(item["content"]) : "";
}

const append = (line: string): string => `echo ${line} >> effects.txt`;

/** Types into the command that it began with. */
async function typeOn(wire: ModelWire, id: string, outputs: readonly string[]): Promise<void> {
	if (outputs.length === 0) {
		const cmd = `while read -r line; do echo "$line" >> effects.txt; echo "took $line"; done`;
		return wire.call("exec_command", { cmd, tty: true, yield_time_ms: 250 });
	}
	const session = /session ID (\d+)/u.exec(outputs[0] ?? "")?.[1];
	const chars = `${id}-${outputs.length}\n`;
	return wire.call("write_stdin", { session_id: Number(session), chars, yield_time_ms: 250 });
}

async function speakSlowly(wire: ModelWire): Promise<void> {
	const item = { id: `msg_${wire.body.input.length}`, type: "message", role: "assistant", content: [] };
	await wire.event("response.output_item.added", { item });
	for (let count = 0; count < DELTAS && !wire.response.destroyed; count += 1) {
		await wire.event("response.output_text.delta", { item_id: item.id, content_index: 0, delta: "word " });
		await new Promise((resolve) => setTimeout(resolve, DELTA_EVERY_MS));
	}
}

async function takeStep({ kind, id }: Work, wire: ModelWire, outputs: readonly string[]): Promise<void> {
	const line = `${id}-${outputs.length}`;
	switch (kind) {
		case "approved":
			return wire.call("exec_command", {
				cmd: append(line),
				sandbox_permissions: "require_escalated",
				justification: "may I?",
			});
		case "sandboxed":
			return wire.call("exec_command", { cmd: append(line) });
		case "background":
			return typeOn(wire, id, outputs);
		case "mcp":
			return wire.call("mcp__effects__append", { line });
		case "code": {
			const commands = [0, 1, 2].map((nth) => append(`${line}${"abc"[nth]}`));
			const input = `for (const cmd of ${JSON.stringify(commands)}) text(await tools.exec_command({ cmd }));`;
			const call = { type: "custom_tool_call", id: `ctc_${line}`, call_id: `cell_${line}`, name: "exec" };
			return wire.event("response.output_item.done", { item: { ...call, input } });
		}
		case "question": {
			const options = [
				{ label: "Yes", description: "go" },
				{ label: "No", description: "stop" },
			];
			return wire.call("request_user_input", {
				questions: [{ id: "q1", header: "Go?", question: "Shall I?", options }],
			});
		}
		case "text":
			return speakSlowly(wire);
	}
}

/** What a model does whose person asked for work: step after step by what the conversation holds. */
export function workAnswer(body: ModelWire["body"]): WriteAnswer {
	const asked = body.input.findLastIndex((item) => textOf(item).includes("work: "));
	const [, kind, id] = /work: (\w+) ([\w-]+)\./u.exec(textOf(body.input[asked] ?? {})) ?? [];
	const later = body.input.slice(asked + 1);
	if (id === undefined || later.some((item) => textOf(item).includes("go on"))) return fineAnswer;
	const outputs = later.flatMap((item) =>
		String(item["type"]).endsWith("_call_output") ? [JSON.stringify(item["output"])] : [],
	);
	if (outputs.length >= STEPS || (kind === "question" && outputs.length > 0)) return fineAnswer;
	return async (wire) => {
		wire.open();
		await wire.event("response.created", { response: {} });
		await takeStep({ kind: kind as WorkKind, id }, wire, outputs);
		await wire.complete();
	};
}

/** Calls that a request leaves without an output; a provider would refuse it. */
export function callsWithoutOutput(body: ModelWire["body"]): unknown[] {
	const answered = new Set(
		body.input.flatMap((item) => (String(item["type"]).endsWith("_call_output") ? [item["call_id"]] : [])),
	);
	return body.input
		.filter((item) => String(item["type"]).endsWith("_call"))
		.map((item) => item["call_id"])
		.filter((id) => id !== undefined && !answered.has(id));
}
