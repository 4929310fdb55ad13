import { AppError, toAppError } from "#base/app-error.ts";
import { backoffMs } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import { createEmitter, type Emitter } from "#base/emitter.ts";
import type { ClientHello } from "#protocol/envelope.ts";
import { PROTOCOL_MAX, PROTOCOL_MIN } from "#protocol/limits.ts";
import type { LinkState, Transport, TransportLink } from "./client.ts";
import { parseServerText, type ServerArrival } from "./server-message.ts";

export interface LinkKeeperOptions {
	transport: Transport;
	client: ClientHello["client"];
	clock: Clock;
	/** In [0, 1), for the jitter. */
	random: () => number;
	/**
	 * For one-shot commands: gives up (state `refused`) when the very first attempt finds nobody, and when a daemon that
	 * went away is not back within FAIL_FAST_WAIT_MS.
	 */
	failFast?: boolean;
}

/** What is told of the present link; an older one is never heard of again. */
export interface LinkListener {
	/** The hello is here: state is `connected`. */
	onGreeted(): void;
	onArrival(arrival: ServerArrival): void;
	onBinary(bytes: Uint8Array): void;
	/** The link is gone; another attempt may follow. */
	onLost(): void;
	/** No attempt will follow. */
	onRefused(error: AppError): void;
}

/** Keeps one link to a daemon up. */
export interface LinkKeeper {
	readonly state: LinkState;
	readonly states: Emitter<LinkState>;
	/** Present while connected. */
	readonly link: TransportLink | undefined;
	/** Why nothing can be sent just now. */
	linkError(): AppError;
	connect(): void;
	/** Resolves when the link is gone. */
	close(): Promise<void>;
}

/** First and longest pause between attempts: back within a blink, and gentle to a machine that is down. */
const BACKOFF = { firstMs: 100, maxMs: 5_000 } as const;
/** A peer that accepts and then says nothing is no daemon; twice the time it gives us for our hello. */
const HELLO_WAIT_MS = 10_000;
/** Long enough for a restart, short enough for somebody who waits at a prompt. */
const FAIL_FAST_WAIT_MS = 5_000;
/** A polite close gets this long, then the link is cut. */
const CLOSE_WAIT_MS = 1_000;

/** Errors that another attempt cannot mend. */
function isFinal(error: AppError): boolean {
	return (
		error.code.startsWith("AUTH_") || error.code === "PROTOCOL_VERSION" || error.code === "PERMISSION_DENIED"
	);
}

/** One attempt and the link that came of it. */
interface Attempt {
	readonly abort: AbortController;
	/** Settles when the link is gone, or never was. */
	readonly ended: Deferred<void>;
	link: TransportLink | undefined;
	helloTimer: Disposable | undefined;
	/** What was wrong with it, when this side gave it up. */
	refusal: AppError | undefined;
}

function describeState(state: LinkState, address: string): AppError {
	if (state.kind === "refused") return state.error;
	if (state.kind === "closed") return new AppError("CANCELLED", "The client was closed.");
	const cause = state.kind === "reconnecting" ? state.error : undefined;
	return new AppError("DAEMON_UNAVAILABLE", `No connection to ${address}.`, { cause });
}

function closedError(address: string, code: number, reason: string): AppError {
	const words = reason === "" ? String(code) : `${code}: ${reason}`;
	return new AppError("DAEMON_UNAVAILABLE", `The link to ${address} closed (${words}).`);
}

function absentError(address: string, cause: AppError): AppError {
	const words = `The daemon at ${address} went away and was not back within ${FAIL_FAST_WAIT_MS / 1000} s.`;
	return new AppError("DAEMON_UNAVAILABLE", words, { cause });
}

function sayHello(link: TransportLink, client: ClientHello["client"]): void {
	const protocol = { min: PROTOCOL_MIN, max: PROTOCOL_MAX };
	link.sendText(JSON.stringify({ type: "hello", protocol, client } satisfies ClientHello));
}

function createAttempt(): Attempt {
	return {
		abort: new AbortController(),
		ended: createDeferred(),
		link: undefined,
		helloTimer: undefined,
		refusal: undefined,
	};
}

function cut(own: Attempt, error: AppError): void {
	own.helloTimer?.[Symbol.dispose]();
	own.link?.close();
	own.abort.abort(error);
}

/** The two timers of a lost link: the next attempt, and, with failFast, the last of its patience. */
function createWaits(clock: Clock) {
	let retryTimer: Disposable | undefined;
	let patience: Disposable | undefined;
	return {
		retry(delayMs: number, connect: () => void): void {
			retryTimer = clock.after(delayMs, connect);
		},
		/** Runs from the first loss to the next hello. */
		beginPatience(giveUp: () => void): void {
			patience ??= clock.after(FAIL_FAST_WAIT_MS, giveUp);
		},
		end(): void {
			retryTimer?.[Symbol.dispose]();
			patience?.[Symbol.dispose]();
			patience = undefined;
		},
	};
}

/** Ends an attempt politely, then by force. */
async function shut(own: Attempt, clock: Clock, reason: AppError): Promise<void> {
	const cut = clock.after(own.link ? CLOSE_WAIT_MS : 0, () => own.abort.abort(reason));
	own.helloTimer?.[Symbol.dispose]();
	own.link?.close(1000, "");
	await own.ended.promise;
	cut[Symbol.dispose]();
}

/** Opens a link for `own` and tells what becomes of it. */
function startAttempt(own: Attempt, transport: Transport, told: AttemptListener): void {
	const opening = transport.open(
		{
			onText: told.onText,
			onBinary: told.onBinary,
			onClose({ code, reason }) {
				own.ended.resolve();
				told.onEnd(closedError(transport.address, code, reason));
			},
		},
		own.abort.signal,
	);
	opening.then(told.onOpen, (thrown: unknown) => {
		own.ended.resolve();
		told.onEnd(toAppError(thrown));
	});
}

interface AttemptListener {
	onText(text: string): void;
	onBinary(bytes: Uint8Array): void;
	onOpen(link: TransportLink): void;
	onEnd(error: AppError): void;
}

export function createLinkKeeper(options: LinkKeeperOptions, listener: LinkListener): LinkKeeper {
	const { transport, clock, random } = options;
	const states = createEmitter<LinkState>();
	let state: LinkState = { kind: "connecting" };
	let attempt: Attempt | undefined;
	let attemptCount = 0;
	let everConnected = false;
	const waits = createWaits(clock);

	function setState(next: LinkState): void {
		state = next;
		states.emit(next);
	}

	function lose(own: Attempt, error: AppError): void {
		if (attempt !== own) return;
		attempt = undefined;
		own.helloTimer?.[Symbol.dispose]();
		listener.onLost();
		const cause = own.refusal ?? error;
		if (isFinal(cause) || (options.failFast === true && !everConnected)) {
			giveUp(cause);
			return;
		}
		if (options.failFast === true) waits.beginPatience(() => giveUp(absentError(transport.address, cause)));
		attemptCount += 1;
		const delayMs = backoffMs(attemptCount, { ...BACKOFF, random });
		waits.retry(delayMs, connect);
		setState({
			kind: "reconnecting",
			attempt: attemptCount,
			retryAtMs: clock.nowMs() + delayMs,
			error: cause,
		});
	}

	function giveUp(error: AppError): void {
		const own = attempt;
		attempt = undefined;
		if (own) cut(own, error);
		waits.end();
		setState({ kind: "refused", error });
		listener.onRefused(error);
	}

	function drop(own: Attempt, error: AppError): void {
		own.refusal ??= error;
		cut(own, error);
		lose(own, error);
	}

	function arrive(own: Attempt, arrival: ServerArrival): void {
		// A reject ends the attempt; an error that belongs to no request means that a frame of ours was not understood.
		if (arrival.kind === "reject" || arrival.kind === "error") drop(own, arrival.error);
		else if (arrival.kind === "hello") {
			own.helloTimer?.[Symbol.dispose]();
			attemptCount = 0;
			everConnected = true;
			waits.end();
			setState({ kind: "connected", hello: arrival.hello });
			listener.onGreeted();
		} else listener.onArrival(arrival);
	}

	function connect(): void {
		const own = createAttempt();
		attempt = own;
		startAttempt(own, transport, {
			onText: (text) => attempt === own && arrive(own, parseServerText(text)),
			onBinary: (bytes) => attempt === own && listener.onBinary(bytes),
			onOpen(link) {
				own.link = link;
				if (attempt !== own) {
					link.close();
					return;
				}
				const silent = new AppError("TIMEOUT", `No hello from ${transport.address}.`);
				own.helloTimer = clock.after(HELLO_WAIT_MS, () => drop(own, silent));
				sayHello(link, options.client);
			},
			onEnd: (error) => lose(own, error),
		});
	}

	return {
		get state() {
			return state;
		},
		states,
		get link() {
			return state.kind === "connected" ? attempt?.link : undefined;
		},
		linkError: () => describeState(state, transport.address),
		connect,
		async close() {
			if (state.kind === "closed") return;
			const own = attempt;
			attempt = undefined;
			waits.end();
			setState({ kind: "closed" });
			if (own) await shut(own, clock, describeState(state, transport.address));
		},
	};
}
