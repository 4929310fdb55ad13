import { connect } from "node:net";
import { AppError } from "#base/app-error.ts";
import { type Clock, waitMs } from "#base/clock.ts";
import { createDeferred, type Deferred } from "#base/deferred.ts";
import type { ErrorCode } from "#base/error-table.ts";
import { ERROR_TABLE } from "#base/error-table.ts";
import {
	createHostFrameReader,
	encodeHostJson,
	HOST_FRAME,
	HOST_FRAME_BYTES,
	HOST_PROTOCOL,
	parseHostJson,
} from "#client/attach/host-frame.ts";
import {
	type HostEvent,
	parseHostEvent,
	readInt,
	readObject,
	readText,
} from "#client/attach/host-message.ts";

/** A host that does not answer one request within this is unwell. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface HostConnection {
	readonly pid: number;
	/** Product version of the host; it may be older than ours. */
	readonly version: string;
	/** @throws AppError of the host's code; HOST_UNAVAILABLE when the link broke, TIMEOUT. */
	request(op: string, params?: Record<string, unknown>, timeoutMs?: number): Promise<Record<string, unknown>>;
	close(): void;
}

interface ConnectOptions {
	socketPath: string;
	secret: string;
	clock: Clock;
	onEvent(event: HostEvent): void;
	/** Once, after the hello; also after `close()`. */
	onClose(): void;
}

function hostError(value: Record<string, unknown>): AppError {
	const code = readText(value, "code");
	const known = Object.hasOwn(ERROR_TABLE, code) ? (code as ErrorCode) : "INTERNAL";
	return new AppError(known, readText(value, "message"));
}

/** Connects to a living host as its daemon. Undefined when nobody listens. @throws AppError AUTH_REQUIRED, PROTOCOL_VERSION, HOST_UNAVAILABLE. */
export async function connectHost(options: ConnectOptions): Promise<HostConnection | undefined> {
	const { clock } = options;
	const opened = createDeferred<HostConnection | undefined>();
	const pending = new Map<number, Deferred<Record<string, unknown>>>();
	let nextId = 0;
	let greeted = false;
	const socket = connect(options.socketPath);

	const reader = createHostFrameReader(HOST_FRAME_BYTES, (type, body) => {
		const value = parseHostJson(body);
		if (type === HOST_FRAME.hello) greet(value);
		else if (type === HOST_FRAME.response) settle(value);
		else if (type === HOST_FRAME.event) hear(value);
	});
	function greet(value: Record<string, unknown>): void {
		greeted = true;
		opened.resolve({
			pid: readInt(value, "pid"),
			version: readText(value, "host"),
			request,
			close: () => socket.destroy(),
		});
	}
	function settle(value: Record<string, unknown>): void {
		const id = readInt(value, "id");
		const waiter = pending.get(id);
		pending.delete(id);
		if (value["error"] === undefined) waiter?.resolve(readObject(value, "result"));
		else waiter?.reject(hostError(readObject(value, "error")));
	}
	function hear(value: Record<string, unknown>): void {
		const event = parseHostEvent(value);
		if (event?.event === "refused") opened.reject(hostError(value));
		else if (event) options.onEvent(event);
	}
	async function request(
		op: string,
		params: Record<string, unknown> = {},
		timeoutMs = REQUEST_TIMEOUT_MS,
	): Promise<Record<string, unknown>> {
		if (socket.destroyed) throw new AppError("HOST_UNAVAILABLE");
		nextId += 1;
		const id = nextId;
		const reply = createDeferred<Record<string, unknown>>();
		pending.set(id, reply);
		socket.write(encodeHostJson(HOST_FRAME.request, { ...params, id, op }));
		const timer = clock.after(timeoutMs, () =>
			reply.reject(new AppError("TIMEOUT", `The pty-host did not answer ${op} within ${timeoutMs} ms.`)),
		);
		try {
			return await reply.promise;
		} finally {
			timer[Symbol.dispose]();
			pending.delete(id);
		}
	}
	socket.on("connect", () =>
		socket.write(
			encodeHostJson(HOST_FRAME.hello, { ...HOST_PROTOCOL, role: "control", secret: options.secret }),
		),
	);
	socket.on("data", (chunk) => {
		try {
			reader.push(chunk);
		} catch (error) {
			opened.reject(error);
			socket.destroy();
		}
	});
	socket.on("error", (error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT" || error.code === "ECONNREFUSED") opened.resolve(undefined);
		else
			opened.reject(
				new AppError("HOST_UNAVAILABLE", "The pty-host's socket cannot be used.", { cause: error }),
			);
	});
	socket.on("close", () => {
		opened.reject(new AppError("HOST_UNAVAILABLE", "The pty-host closed the connection."));
		for (const waiter of pending.values())
			waiter.reject(new AppError("HOST_UNAVAILABLE", "The pty-host closed the connection."));
		pending.clear();
		if (greeted) options.onClose();
	});
	const cancelled = new AbortController();
	const late = waitMs(clock, REQUEST_TIMEOUT_MS, cancelled.signal).then(() => {
		socket.destroy();
		throw new AppError("HOST_UNAVAILABLE", "The pty-host does not answer.");
	});
	late.catch(() => undefined);
	try {
		return await Promise.race([opened.promise, late]);
	} finally {
		cancelled.abort();
	}
}
