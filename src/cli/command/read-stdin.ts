import { AppError } from "#base/app-error.ts";
import type { CliContext } from "../descriptor.ts";

/** One frame of the gateway: more could not be sent. */
const STDIN_MAX_BYTES = 4 * 1024 * 1024;

/** All of stdin as text. @throws AppError PROTOCOL_LIMIT over 4 MiB; the signal's reason, also while stdin stays open. */
export async function readStdin({ stdin, signal }: Pick<CliContext, "stdin" | "signal">): Promise<string> {
	const { addAbortSignal } = await import("node:stream");
	const chunks: Buffer[] = [];
	let sizeBytes = 0;
	try {
		for await (const chunk of addAbortSignal(signal, stdin)) {
			const bytes = Buffer.from(chunk as Uint8Array | string);
			sizeBytes += bytes.length;
			if (sizeBytes > STDIN_MAX_BYTES)
				throw new AppError("PROTOCOL_LIMIT", `More than ${STDIN_MAX_BYTES} bytes on stdin.`);
			chunks.push(bytes);
		}
	} catch (error) {
		signal.throwIfAborted();
		throw error;
	}
	return Buffer.concat(chunks).toString("utf8");
}
