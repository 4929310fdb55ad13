import type { NewId } from "#base/id.ts";
import type { Environment, ExecRequest, RunningCommand } from "#daemon/agent/environment.ts";
import type { LoopEvent, LoopPorts } from "#daemon/agent/loop-port.ts";
import type { ModelEvent, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import type { TurnRecording } from "./port.ts";

function tapProvider(provider: ModelProvider, recording: TurnRecording): ModelProvider {
	let requests = 0;

	function frame(request: number, event: ModelEvent): void {
		const fact = { type: "model.frame", request, frame: event.type };
		if (event.type === "text_delta") {
			const { itemId: item_id, delta } = event;
			recording.piece(`frame:${request}:${item_id}`, "delta", { ...fact, item_id, delta });
		} else if (event.type === "reasoning_delta") {
			const { itemId: item_id, summaryIndex: summary_index, delta } = event;
			const key = `frame:${request}:${item_id}:${summary_index}`;
			recording.piece(key, "delta", { ...fact, item_id, summary_index, delta });
		} else recording.write({ ...fact, event });
	}
	async function* follow(request: number, events: AsyncIterable<ModelEvent>): AsyncIterable<ModelEvent> {
		for await (const event of events) {
			frame(request, event);
			yield event;
		}
	}
	return {
		...provider,
		stream(request: ModelRequest, signal: AbortSignal) {
			requests += 1;
			recording.write({ type: "model.request", request: requests, provider: provider.name, body: request });
			return follow(requests, provider.stream(request, signal));
		},
	};
}

function tapEvent(recording: TurnRecording, event: LoopEvent): void {
	if (event.type === "message_delta" || event.type === "reasoning_delta" || event.type === "command_output") {
		const { type: said, itemId: item_id, delta } = event;
		recording.piece(`${said}:${item_id}`, "delta", { type: "loop.event", event: said, item_id, delta });
	} else recording.write({ type: "loop.event", event: event.type, value: event });
}

function tapCommand(recording: TurnRecording, command: number, running: RunningCommand): RunningCommand {
	const { pid, startTime } = running;
	recording.write({ type: "command.started", command, pid, start_time: startTime });
	const listening = running.onOutput((text) =>
		recording.piece(`output:${command}`, "text", { type: "command.output", command, text }),
	);
	void running.done.then((result) => {
		listening[Symbol.dispose]();
		recording.write({ type: "command.ended", command, result });
	});
	return running;
}

function tapEnvironment(environment: Environment, recording: TurnRecording): Environment {
	let commands = 0;
	return {
		...environment,
		exec(request: ExecRequest) {
			commands += 1;
			const { env, ...rest } = request;
			recording.write({
				...{ type: "command.request", command: commands, request: rest },
				env_names: Object.keys(env).sort(),
			});
			return tapCommand(recording, commands, environment.exec(request));
		},
	};
}

function tapTool(context: ToolContext, recording: TurnRecording): ToolContext {
	const { callId: call_id, items } = context;
	return {
		...context,
		items: {
			...items,
			started(item) {
				recording.write({ type: "item.started", call_id, item });
				return items.started(item);
			},
			completed(item) {
				recording.write({ type: "item.completed", call_id, item });
				return items.completed(item);
			},
		},
		async requestApproval(request) {
			recording.write({ type: "approval.asked", call_id, request });
			const outcome = await context.requestApproval(request);
			recording.write({ type: "approval.answered", call_id, outcome });
			return outcome;
		},
	};
}

function tapIds(newId: NewId, recording: TurnRecording): NewId {
	return () => {
		const id = newId();
		recording.write({ type: "id", id });
		return id;
	};
}

/** The same ports, with everything that passes through them written down: frames, deltas, commands, approvals, ids. */
export function tapPorts(ports: LoopPorts, recording: TurnRecording): LoopPorts {
	let environment: Environment | undefined;
	return {
		...ports,
		provider: tapProvider(ports.provider, recording),
		newId: tapIds(ports.newId, recording),
		emit(event) {
			tapEvent(recording, event);
			return ports.emit(event);
		},
		toolContext(callId) {
			const context = ports.toolContext(callId);
			environment ??= tapEnvironment(context.environment, recording);
			return tapTool({ ...context, environment }, recording);
		},
	};
}
