/** One server-sent event; `data` lines are joined by newlines. */
export interface ServerSentEvent {
	event: string;
	data: string;
}

/** Largest event that is kept, in UTF-16 units: above any model item, below what would hurt the daemon. */
export const MAX_EVENT_CHARS = 32 * 1024 * 1024;

/** Takes bytes in pieces of any size and gives the events that are complete. */
export interface SseParser {
	/** @throws Error when one event is over the bound, and where the bytes are no UTF-8. */
	push(bytes: Uint8Array): ServerSentEvent[];
}

/** Parses text/event-stream as the HTML standard says: any line ending, any chunk border, comments ignored. */
export function createSseParser(maxEventChars: number = MAX_EVENT_CHARS): SseParser {
	const decoder = new TextDecoder("utf-8", { fatal: true });
	let line = "";
	let event = "";
	let data: string[] = [];
	let size = 0;
	/** The last piece ended in CR: a LF at the start of the next belongs to it. */
	let afterCr = false;

	function dispatch(out: ServerSentEvent[]): void {
		if (data.length > 0) out.push({ event: event === "" ? "message" : event, data: data.join("\n") });
		event = "";
		data = [];
		size = 0;
	}

	function takeLine(out: ServerSentEvent[]): void {
		if (line === "") {
			dispatch(out);
			return;
		}
		const [, field, value = ""] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) ?? [];
		if (field === "data") data.push(value);
		else if (field === "event") event = value;
	}

	function checkSize(chars: number): void {
		if (chars > maxEventChars) throw new Error(`an event of the stream is over ${maxEventChars} characters`);
	}

	return {
		push(bytes) {
			const out: ServerSentEvent[] = [];
			let text = decoder.decode(bytes, { stream: true });
			if (afterCr && text.startsWith("\n")) text = text.slice(1);
			if (text !== "") afterCr = false;
			const ending = /\r\n|\n|\r/g;
			let from = 0;
			for (let match = ending.exec(text); match !== null; match = ending.exec(text)) {
				line += text.slice(from, match.index);
				from = ending.lastIndex;
				size += line.length;
				checkSize(size);
				takeLine(out);
				line = "";
				afterCr = match[0] === "\r" && from === text.length;
			}
			line += text.slice(from);
			checkSize(size + line.length);
			return out;
		},
	};
}
