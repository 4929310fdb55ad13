import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { loadQuickJs, runSandbox, type Sandbox } from "./sandbox.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

/** A thread that a script has made bigger than this is not used again. */
const REUSE_MAX_BYTES = 32 * 1024 * 1024;

/** Entry of the thread that runs scripts of models, one at a time. */
async function main(port: MessagePort, maxMemoryBytes: number): Promise<void> {
	const early: ToWorker[] = [];
	const keep = (message: ToWorker): void => void early.push(message);
	port.on("message", keep);
	const { quickJs, memoryBytes } = await loadQuickJs(maxMemoryBytes);
	port.off("message", keep);
	let sandbox: Sandbox | undefined;

	function send(message: FromWorker): void {
		port.postMessage(message);
		if (message.kind === "done") setImmediate(clean);
	}

	/** A sandbox that cannot be taken down whole takes its thread with it. */
	function clean(): void {
		try {
			sandbox?.[Symbol.dispose]();
			sandbox = undefined;
			if (memoryBytes() > REUSE_MAX_BYTES) process.exit(0);
			send({ kind: "idle" });
		} catch {
			process.exit(1);
		}
	}

	function take(message: ToWorker): void {
		try {
			if (message.kind === "run") sandbox = runSandbox(quickJs, message, send);
			else sandbox?.settle(message.callId, message.ok, message.value);
		} catch (error) {
			// The interpreter itself gave up (its own memory, say): the script failed, and the thread is of no more use.
			port.postMessage({ kind: "done", error: String(error) } satisfies FromWorker);
			process.exit(1);
		}
	}

	for (const message of early) take(message);
	port.on("message", take);
}

if (parentPort !== null) await main(parentPort, (workerData as WorkerStart).memoryBytes);
