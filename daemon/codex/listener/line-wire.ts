import type { Readable, Writable } from "node:stream";
import { createLineReader } from "#daemon/transport/uds/line-reader.ts";
import type { CodexLink, CodexPeerKind } from "../link.ts";
import { createLink } from "./create-link.ts";
import { MESSAGE_MAX_BYTES } from "./limits.ts";

interface LinePlace {
	label: string;
	kind: CodexPeerKind;
	input: Readable;
	output: Writable;
}

/**
 * One JSON text for each line, both ways. The link closes when either stream ends or breaks, or a line is over the bound;
 * closing it ends the output (except stdio's, which is the process's own) and leaves the input to its owner.
 */
export function createLineLink({ label, kind, input, output }: LinePlace): CodexLink {
	const reader = createLineReader(MESSAGE_MAX_BYTES);
	const wired = createLink(
		{ label, kind },
		{
			write(texts) {
				if (!output.writable) return;
				output.write(texts.length === 1 ? `${texts[0]}\n` : `${texts.join("\n")}\n`);
			},
			get bufferedBytes() {
				return output.writableLength;
			},
			pause: () => input.pause(),
			resume: () => input.resume(),
			close(reason) {
				if (reason === "slow") output.destroy();
				// The process's own output is flushed by whoever ends the process.
				else if (kind !== "stdio") output.end();
			},
		},
	);
	input.on("data", (chunk: Buffer) => {
		for (const event of reader.push(chunk)) {
			if ("line" in event) wired.received(event.line);
			else wired.link.close();
		}
	});
	input.on("end", wired.ended);
	input.on("error", wired.ended);
	input.on("close", wired.ended);
	output.on("drain", wired.drained);
	output.on("error", wired.ended);
	output.on("close", wired.ended);
	return wired.link;
}
