import type { TransportLink } from "#client/client.ts";
import type { ServerLink } from "./server-link.ts";

/** The server's end of an in-process link; nothing is ever buffered in it. */
export function createMemoryLink(far: TransportLink): ServerLink {
	return {
		writeTexts(batches) {
			for (const text of batches.flat()) far.sendText(text);
		},
		writeBinary: (bytes) => far.sendBinary(bytes),
		bufferedBytes: 0,
		writable: true,
		onDrain: undefined,
		close: (code, reason) => far.close(code, reason),
	};
}
