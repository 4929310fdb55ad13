import { Worker } from "node:worker_threads";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { createEmulatorNeed } from "./emulator-need.ts";
import type { FromScreenWorker, ToScreenWorker } from "./screen-protocol.ts";
import type { ScreenPaint } from "./screen-state.ts";

/** Lines of history an emulator keeps. */
const SCROLLBACK_LINES = 1_000;
/** While somebody drives, bytes are parsed in batches of this size or this age: nobody needs the emulator, it costs CPU. */
const LAZY_FEED_BYTES = 4 * 1024 * 1024;
const LAZY_FEED_MS = 200;
/** So much waits without a limit in time, when nothing in it needs the emulator before somebody looks. */
const CALM_BYTES = 64 * 1024;
const NEED_END_BYTES = 256;
/** Room for what waits: at first, and over a batch for the piece that makes it whole. */
const FEED_FIRST_BYTES = 1024;
const FEED_SLACK_BYTES = 64 * 1024;
/** Unparsed bytes at which the program is held (contracts.md 6), and at which it goes on. */
const HOLD_AT_BYTES = 8 * 1024 * 1024;
const RELEASE_AT_BYTES = 6 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

export interface ScreenLines {
	lines: string[];
	cursor: { x: number; y: number };
}

/** The emulator of one terminal, as the byte-moving thread sees it: takes bytes at once, parses them later. */
export interface Screen extends Disposable {
	/** `urgent`: nobody else answers the program's queries, so one is parsed in this turn. What needs no emulator waits for a look. */
	push(bytes: Uint8Array, urgent: boolean): void;
	resize(cols: number, rows: number): void;
	/** Of everything pushed before. */
	paint(kind: ScreenPaint): Promise<Uint8Array>;
	lines(): Promise<ScreenLines>;
}

export interface ScreenHandlers {
	onAnswer(data: string): void;
	onTitle(title: string): void;
	/** The unparsed backlog is over its bound, or under it again. */
	onBacklog(over: boolean): void;
}

export interface ScreenPool extends AsyncDisposable {
	open(id: string, size: { cols: number; rows: number }, handlers: ScreenHandlers): Screen;
}

/** The worker starts with the first bytes that need it. One that dies is a bug of ours: `onCrash` hears of it, the next begins anew. */
export function createScreenPool(workerUrl: URL, onCrash: (error: Error) => void): ScreenPool {
	let worker: Worker | undefined;
	let requestId = 0;
	const screens = new Map<string, ScreenHandlers & WorkerEvents>();
	const painted = new Map<number, Deferred<Uint8Array>>();
	const listed = new Map<number, Deferred<ScreenLines>>();

	function receive(message: FromScreenWorker): void {
		switch (message.op) {
			case "fed":
				screens.get(message.id)?.fed(message.bytes);
				return;
			case "painted":
				painted.get(message.request)?.resolve(message.bytes);
				painted.delete(message.request);
				return;
			case "lines":
				listed.get(message.request)?.resolve(message);
				listed.delete(message.request);
				return;
			case "answer":
				screens.get(message.id)?.onAnswer(message.data);
				return;
			case "title":
				screens.get(message.id)?.onTitle(message.title);
		}
	}
	function start(): Worker {
		const started = new Worker(workerUrl);
		started.on("message", receive);
		started.on("error", (error) => lost(error));
		return started;
	}
	/** All emulators are gone: screens begin empty again, and nobody goes on waiting for the old ones. */
	function lost(error: Error): void {
		worker = undefined;
		onCrash(error);
		for (const reply of painted.values()) reply.resolve(NOTHING);
		for (const reply of listed.values()) reply.resolve({ lines: [], cursor: { x: 0, y: 0 } });
		painted.clear();
		listed.clear();
		for (const screen of screens.values()) screen.lost();
	}
	function post(message: ToScreenWorker, transfer: ArrayBuffer[] = []): void {
		worker ??= start();
		worker.postMessage(message, transfer);
	}

	function open(id: string, size: { cols: number; rows: number }, handlers: ScreenHandlers): Screen {
		const screen = createScreen({ id, size, post, handlers, paintRequest, linesRequest });
		screens.set(id, { ...handlers, fed: screen.fed, lost: screen.lost });
		return {
			...screen,
			[Symbol.dispose]() {
				screen[Symbol.dispose]();
				screens.delete(id);
			},
		};
	}
	function paintRequest(id: string, kind: ScreenPaint): Promise<Uint8Array> {
		const reply = createDeferred<Uint8Array>();
		requestId += 1;
		painted.set(requestId, reply);
		post({ op: "paint", id, request: requestId, kind });
		return reply.promise;
	}
	function linesRequest(id: string): Promise<ScreenLines> {
		const reply = createDeferred<ScreenLines>();
		requestId += 1;
		listed.set(requestId, reply);
		post({ op: "lines", id, request: requestId });
		return reply.promise;
	}
	return {
		open,
		async [Symbol.asyncDispose]() {
			await worker?.terminate();
		},
	};
}

interface WorkerEvents {
	/** So many bytes were parsed. */
	fed(bytes: number): void;
	/** The worker is gone, and the emulator with it. */
	lost(): void;
}

interface ScreenParts {
	id: string;
	size: { cols: number; rows: number };
	post(message: ToScreenWorker, transfer?: ArrayBuffer[]): void;
	handlers: ScreenHandlers;
	paintRequest(id: string, kind: ScreenPaint): Promise<Uint8Array>;
	linesRequest(id: string): Promise<ScreenLines>;
}

function createScreen({
	id,
	size,
	post,
	handlers,
	paintRequest,
	linesRequest,
}: ScreenParts): Screen & WorkerEvents {
	let opened = false;
	let present = size;
	let waiting = NOTHING;
	let waitingBytes = 0;
	let waitingUrgent = false;
	let unparsed = 0;
	let over = false;
	let timer: NodeJS.Timeout | undefined;
	let soon: NodeJS.Immediate | undefined;
	const isNeeded = createEmulatorNeed();

	/** An emulator that saw nothing need not exist. */
	function ensureOpen(): void {
		if (opened) return;
		opened = true;
		post({ op: "open", id, ...present, scrollback: SCROLLBACK_LINES });
	}
	function flush(): void {
		clearTimeout(timer);
		if (soon) clearImmediate(soon);
		timer = undefined;
		soon = undefined;
		if (waitingBytes === 0) return;
		ensureOpen();
		// What is mostly room goes as a copy.
		const bytes =
			waitingBytes * 2 < waiting.length ? waiting.slice(0, waitingBytes) : waiting.subarray(0, waitingBytes);
		waiting = NOTHING;
		waitingBytes = 0;
		post({ op: "feed", id, bytes, answer: waitingUrgent }, [bytes.buffer]);
	}
	/** Copied at once: the bytes lie in memory that is shared with the sockets, and is free again as soon as they are sent. */
	function keep(bytes: Uint8Array): void {
		const needed = waitingBytes + bytes.length;
		if (needed > waiting.length) {
			const larger = new Uint8Array(
				Math.max(needed, Math.min(LAZY_FEED_BYTES + FEED_SLACK_BYTES, waiting.length * 4), FEED_FIRST_BYTES),
			);
			larger.set(waiting.subarray(0, waitingBytes));
			waiting = larger;
		}
		waiting.set(bytes, waitingBytes);
		waitingBytes = needed;
	}
	function parsed(bytes: number): void {
		unparsed -= bytes;
		if (!over || unparsed > RELEASE_AT_BYTES) return;
		over = false;
		handlers.onBacklog(false);
	}
	function schedule(needed: boolean): void {
		if (waitingBytes >= LAZY_FEED_BYTES) flush();
		else if (!needed && waitingBytes < CALM_BYTES) return;
		else if (waitingUrgent) soon ??= setImmediate(flush);
		else timer ??= setTimeout(flush, LAZY_FEED_MS);
	}
	return {
		push(bytes, urgent) {
			if (waitingBytes > 0 && urgent !== waitingUrgent) flush();
			waitingUrgent = urgent;
			keep(bytes);
			unparsed += bytes.length;
			// What is much is parsed anyway; of it only the end matters for what follows.
			const needed = isNeeded(bytes.length < CALM_BYTES ? bytes : bytes.subarray(-NEED_END_BYTES));
			schedule(needed);
			if (!over && unparsed >= HOLD_AT_BYTES) {
				over = true;
				handlers.onBacklog(true);
			}
		},
		fed: (bytes) => parsed(bytes),
		lost() {
			opened = false;
			parsed(unparsed - waitingBytes);
		},
		resize(cols, rows) {
			flush();
			present = { cols, rows };
			if (opened) post({ op: "resize", id, cols, rows });
		},
		paint(kind) {
			flush();
			ensureOpen();
			return paintRequest(id, kind);
		},
		lines() {
			flush();
			ensureOpen();
			return linesRequest(id);
		},
		[Symbol.dispose]() {
			clearTimeout(timer);
			if (soon) clearImmediate(soon);
			if (opened) post({ op: "close", id });
		},
	};
}
