import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { AppError } from "#base/app-error.ts";
import { ERROR_TABLE } from "#base/error-table.ts";

const COMMON_HEADERS = {
	"cache-control": "no-store",
	"x-content-type-options": "nosniff",
} as const;

/** An RFC 9457 problem: the wire error's members beside the standard ones. */
function problemOf(error: AppError, status: number): string {
	const row = ERROR_TABLE[error.code];
	return JSON.stringify({
		type: `urn:weave-codex:error:${error.code}`,
		title: row.summary,
		status,
		detail: error.message,
		...error.toWire(),
		remedy: row.remedy,
	});
}

function headersOf(error: AppError): Record<string, string> {
	return {
		...COMMON_HEADERS,
		"content-type": "application/problem+json",
		...(error.code === "AUTH_REQUIRED" ? { "www-authenticate": 'Bearer realm="weave-codex"' } : {}),
		...(error.code === "AUTH_RATE_LIMITED" ? { "retry-after": "60" } : {}),
	};
}

/** Node does not know nginx's 499; a peer that is gone does not mind the number. */
function statusOf(error: AppError): number {
	return ERROR_TABLE[error.code].http;
}

export function sendProblem(
	response: ServerResponse,
	error: AppError,
	status: number = statusOf(error),
): void {
	if (response.headersSent || response.destroyed) return;
	const body = problemOf(error, status);
	response.writeHead(status, { ...headersOf(error), "content-length": Buffer.byteLength(body) });
	response.end(body);
}

export function sendBody(response: ServerResponse, contentType: string, body: string, status = 200): void {
	if (response.headersSent || response.destroyed) return;
	response.writeHead(status, {
		...COMMON_HEADERS,
		"content-type": contentType,
		"content-length": Buffer.byteLength(body),
	});
	response.end(body);
}

/** Refuses an upgrade: a plain HTTP answer on the raw socket, then its end: a peer that keeps its side open holds no place. */
export function refuseUpgrade(socket: Duplex, error: AppError): void {
	const status = statusOf(error);
	const body = problemOf(error, status);
	const headers = {
		...headersOf(error),
		"content-length": String(Buffer.byteLength(body)),
		connection: "close",
	};
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	socket.on("error", () => socket.destroy());
	const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("")}\r\n${body}`;
	socket.end(answer, () => socket.destroy());
}
