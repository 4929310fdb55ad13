import { parentPort } from "node:worker_threads";
import { systemClock } from "#base/clock.ts";
import type { FromScreenWorker, ToScreenWorker } from "./screen-protocol.ts";
import { createSleepingScreen } from "./sleeping-screen.ts";

/**
 * Worker entry: the emulators of all terminals, away from the thread that moves bytes. Work of one terminal is done in order
 * of arrival; it ends with its thread.
 */
const port = parentPort;
if (!port) throw new Error("screen-worker runs as a worker thread of the pty-host only");
type ScreenOfWorker = ReturnType<typeof createSleepingScreen>;

const screens = new Map<string, ScreenOfWorker>();

function post(message: FromScreenWorker, transfer: ArrayBuffer[] = []): void {
	port?.postMessage(message, transfer);
}

function open(message: Extract<ToScreenWorker, { op: "open" }>): void {
	const { id } = message;
	const screen = createSleepingScreen(
		{
			...message,
			onAnswer: (data) => post({ op: "answer", id, data }),
			onTitle: (title) => post({ op: "title", id, title }),
		},
		systemClock,
	);
	screens.set(id, screen);
}

async function work(screen: ScreenOfWorker, message: Exclude<ToScreenWorker, { op: "open" }>): Promise<void> {
	const { id } = message;
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

async function handle(message: ToScreenWorker): Promise<void> {
	if (message.op === "open") {
		open(message);
		return;
	}
	const screen = screens.get(message.id);
	if (screen) await work(screen, message);
}

port.on("message", (message: ToScreenWorker) => void handle(message));
