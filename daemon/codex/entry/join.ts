import { connect, type Socket } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "#base/app-error.ts";
import { createLineReader } from "#daemon/transport/uds/line-reader.ts";
import { readDiscovery } from "#platform/discovery.ts";
import type { Paths } from "#platform/paths.ts";
import { assertOwnSocketFolder } from "#platform/socket-folder.ts";
import { MESSAGE_MAX_BYTES } from "../listener/limits.ts";
import { type Overrides, overrideLine } from "./override.ts";

const ABSENT = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

/** The socket of the daemon that lives in this home; undefined when none does. @throws AppError PERMISSION_DENIED, DAEMON_UNAVAILABLE. */
export function connectToDaemon(paths: Pick<Paths, "codexSocket">): Promise<Socket | undefined> {
	assertOwnSocketFolder(paths.codexSocket);
	return new Promise((resolve, reject) => {
		const socket = connect({ path: paths.codexSocket, allowHalfOpen: true });
		socket.once("connect", () => {
			socket.removeAllListeners("error");
			socket.on("error", () => undefined);
			resolve(socket);
		});
		socket.once("error", (error: NodeJS.ErrnoException) => {
			if (ABSENT.has(error.code ?? "")) resolve(undefined);
			else
				reject(
					new AppError("DAEMON_UNAVAILABLE", `The socket ${paths.codexSocket} does not answer.`, {
						cause: error,
					}),
				);
		});
	});
}

/** @throws AppError CONFIG_INVALID when the running daemon works on another Codex home than this command was given. */
export function assertSameCodexHome(paths: Paths): void {
	const running = readDiscovery(paths)?.codex_home;
	if (running === undefined || running === paths.codexHome) return;
	throw new AppError(
		"CONFIG_INVALID",
		`The daemon of ${paths.home} works on the Codex home ${running}, but this command was given ${paths.codexHome}. Set HOMIE_HOME to another folder for that one, or stop the daemon.`,
	);
}

/** Passes lines on, with the overrides put into those that take them. */
function createOverrideStream(overrides: Overrides): Transform {
	const reader = createLineReader(MESSAGE_MAX_BYTES);
	return new Transform({
		transform(chunk: Buffer, _encoding, done) {
			const lines = reader.push(chunk).flatMap((event) => ("line" in event ? [event.line] : []));
			done(null, lines.map((line) => `${overrideLine(line, overrides)}\n`).join(""));
		},
	});
}

interface JoinStreams {
	stdin: NodeJS.ReadableStream;
	stdout: NodeJS.WritableStream;
}

/**
 * Resolves when the input or the connection is over; the daemon goes on.
 * @throws AppError DAEMON_UNAVAILABLE when the daemon ended first.
 */
export async function pipeToDaemon(
	socket: Socket,
	{ stdin, stdout }: JoinStreams,
	overrides: Overrides,
): Promise<void> {
	const ways: NodeJS.ReadWriteStream[] =
		Object.keys(overrides).length > 0 ? [createOverrideStream(overrides)] : [];
	let inputEnded = false;
	stdin.once("end", () => {
		inputEnded = true;
	});
	pipeline([stdin, ...ways, socket]).catch(() => undefined);
	// stdout is the process's own and must not be ended with the connection.
	await pipeline(socket, stdout, { end: false }).catch(() => undefined);
	socket.destroy();
	if (!inputEnded) throw new AppError("DAEMON_UNAVAILABLE", "The daemon ended.");
}
