import type { LoopPorts, TurnInput } from "#daemon/agent/loop-port.ts";
import type { TurnRecording } from "#daemon/agent/recorder/port.ts";
import { tapPorts } from "#daemon/agent/recorder/tap.ts";
import { requireThread } from "#daemon/storage/repository/chat-thread.ts";
import type { RunnerDeps } from "./deps.ts";
import type { LiveTurn } from "./live-turn.ts";

/** The recordings of running turns; none of this happens where nobody asked for recordings. */
export interface TurnRecordings {
	/** The same ports, written down; closed by whoever disposes the recording. */
	tap(live: LiveTurn, input: TurnInput, ports: LoopPorts): LoopPorts;
	of(live: LiveTurn): TurnRecording | undefined;
}

export function createTurnRecordings({
	recorder,
	store,
}: Pick<RunnerDeps, "recorder" | "store">): TurnRecordings {
	const recordings = new WeakMap<LiveTurn, TurnRecording>();
	return {
		tap(live, input, ports) {
			const recording = recorder?.open(live);
			if (recording === undefined) return ports;
			recordings.set(live, recording);
			const { cwd, model, messages } = input;
			const { approval_policy, sandbox } = requireThread(store, live.threadId);
			recording.write({
				...{ type: "turn.started", cwd, model, provider: ports.provider.name, approval_policy, sandbox },
				messages,
			});
			return tapPorts(ports, recording);
		},
		of: (live) => recordings.get(live),
	};
}
