import type { IncomingMessage } from "node:http";
import { AppError } from "#base/app-error.ts";
import type { Paths } from "#platform/paths.ts";
import { assertOwnSocketFolder } from "#platform/socket-folder.ts";

interface RpcOnceOptions {
	/** Default 30 s; 0 waits for ever. */
	timeoutMs?: number;
	signal?: AbortSignal;
	/** Makes a repetition by the caller safe. */
	idempotencyKey?: string;
	/** Who asks, for people ("answered by"): default `cli`. */
	kind?: string;
}

/** An import of node:http loads all of undici with it, 30 ms that a one-line command does not have. */
const { request } = process.getBuiltinModule("node:http");

/** Same as the gateway's own limit on what it sends at once, with room to spare; a daemon that says more is not ours. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;

/** Error numbers of a socket that nobody serves (any more). */
const GONE = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTSOCK", "ENOTDIR"]);

/** Turns a failed connection to the daemon's socket into DAEMON_UNAVAILABLE, permission trouble into PERMISSION_DENIED. */
export function toConnectError(thrown: unknown, address: string): AppError {
	if (thrown instanceof AppError) return thrown;
	const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
	if (code === "EACCES" || code === "EPERM") {
		return new AppError("PERMISSION_DENIED", `The socket ${address} belongs to somebody else.`, {
			cause: thrown,
		});
	}
	const message =
		GONE.has(code) || code === "" ? undefined : `The daemon at ${address} cannot be reached (${code}).`;
	return new AppError("DAEMON_UNAVAILABLE", message, { data: { address }, cause: thrown });
}

/** The daemon ended with the call in its hands. */
function lostError(refusal: AppError, method: string, key: string | undefined): AppError {
	const words = `The daemon went away before it answered. Whether ${method} was carried out is unknown; to repeat it is safe with an idempotency key`;
	return new AppError(
		"DAEMON_UNAVAILABLE",
		`${words}${key === undefined ? ", which this call had not" : ` (${key})`}.`,
		{
			data: { method, outcome: "unknown", ...(key === undefined ? {} : { idempotency_key: key }) },
			cause: refusal,
		},
	);
}

function parseAnswer(text: string): unknown {
	try {
		return text === "" ? undefined : JSON.parse(text);
	} catch (error) {
		throw new AppError("PROTOCOL_INVALID_FRAME", "The daemon's answer is no JSON.", { cause: error });
	}
}

function problemToError(status: number, body: unknown): AppError {
	const problem = typeof body === "object" && body !== null ? body : {};
	const name = "name" in problem && typeof problem.name === "string" ? problem.name : "INTERNAL";
	const detail =
		"detail" in problem && typeof problem.detail === "string" ? problem.detail : `HTTP status ${status}.`;
	return AppError.fromWire({ name, message: detail, data: "data" in problem ? problem.data : undefined });
}

async function readText(response: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	for await (const chunk of response as AsyncIterable<Buffer>) {
		sizeBytes += chunk.length;
		if (sizeBytes > ANSWER_MAX_BYTES)
			throw new AppError("PROTOCOL_LIMIT", "The daemon's answer is too large.");
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}

/**
 * One call over the daemon's Unix socket with nothing but node:http loaded: for commands that must start fast.
 * The result is as the daemon sent it; the caller knows the method's schema.
 * @throws AppError by the daemon's code; DAEMON_UNAVAILABLE when none runs; TIMEOUT; CANCELLED by the signal.
 */
export async function rpcOnce(
	paths: Pick<Paths, "daemonSocket">,
	method: string,
	params: unknown,
	options: RpcOnceOptions = {},
): Promise<unknown> {
	const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, idempotencyKey, kind = "cli" } = options;
	const body = Buffer.from(JSON.stringify(params ?? {}));
	const timeout = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined;
	const stop = [signal, timeout].filter((one) => one !== undefined);
	let isConnected = false;
	assertOwnSocketFolder(paths.daemonSocket);
	try {
		const response = await new Promise<IncomingMessage>((resolve, reject) => {
			const outgoing = request({
				socketPath: paths.daemonSocket,
				path: `/api/v1/rpc/${encodeURIComponent(method)}`,
				method: "POST",
				agent: false,
				signal: AbortSignal.any(stop),
				headers: {
					host: "localhost",
					"content-type": "application/json",
					"content-length": body.length,
					"weave-client": `${kind} (pid ${process.pid})`,
					...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
				},
			});
			outgoing.once("socket", (socket) => {
				socket.once("connect", () => {
					isConnected = true;
				});
			});
			outgoing.once("response", resolve);
			outgoing.once("error", reject);
			outgoing.end(body);
		});
		const status = response.statusCode ?? 0;
		const answer = parseAnswer(await readText(response));
		if (status === 200) return answer;
		throw problemToError(status, answer);
	} catch (error) {
		if (signal?.aborted) throw signal.reason instanceof AppError ? signal.reason : new AppError("CANCELLED");
		if (timeout?.aborted)
			throw new AppError("TIMEOUT", `The daemon did not answer ${method} within ${timeoutMs} ms.`);
		const refusal = toConnectError(error, paths.daemonSocket);
		throw isConnected && refusal.code === "DAEMON_UNAVAILABLE"
			? lostError(refusal, method, idempotencyKey)
			: refusal;
	}
}
