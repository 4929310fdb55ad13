import { parentPort } from "node:worker_threads";
import { createScreenState, type ScreenState } from "./screen-state.ts";
import type { FromScreenWorker, ToScreenWorker } from "./screen-protocol.ts";

/**
 * Worker entry: the emulators of all terminals, away from the thread that moves bytes. Work of one terminal is done in order
 * of arrival; it ends with its thread.
 */
const port = parentPort;
if (!port) throw new Error("screen-worker runs as a worker thread of the pty-host only");
const screens = new Map<string, ScreenState>();

function post(message: FromScreenWorker, transfer: ArrayBuffer[] = []): void {
	port?.postMessage(message, transfer);
}

async function handle(message: ToScreenWorker): Promise<void> {
	const { id } = message;
	if (message.op === "open") {
		screens.set(
			id,
			createScreenState({
				...message,
				onAnswer: (data) => post({ op: "answer", id, data }),
				onTitle: (title) => post({ op: "title", id, title }),
			}),
		);
		return;
	}
	const screen = screens.get(id);
	if (!screen) return;
	switch (message.op) {
		case "feed":
			await screen.feed(message.bytes, message.answer);
			post({ op: "fed", id, bytes: message.bytes.length });
			return;
		case "resize":
			await screen.resize(message.cols, message.rows);
			return;
		case "paint":
			post({ op: "painted", request: message.request, bytes: await screen.paint(message.kind) });
			return;
		case "lines":
			post({ op: "lines", request: message.request, ...(await screen.lines()) });
			return;
		case "close":
			screens.delete(id);
			screen[Symbol.dispose]();
	}
}

port.on("message", (message: ToScreenWorker) => void handle(message));
