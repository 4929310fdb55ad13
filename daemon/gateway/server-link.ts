/** The server's end of one client's link; ws and the in-process link look the same from here. */
export interface ServerLink {
	/** One write for all of them, in order. A batch that other links get too is encoded once. */
	writeTexts(batches: readonly (readonly string[])[]): void;
	writeBinary(bytes: Uint8Array): void;
	/** Bytes written and not yet taken by the system. */
	readonly bufferedBytes: number;
	/** False from a write that found the socket full until it has drained. */
	readonly writable: boolean;
	/** Set once, by the outlet. */
	onDrain: (() => void) | undefined;
	/** Sends a close after what was written; cuts the link when the peer does not follow. */
	close(code: number, reason: string): void;
}

/** What a link is told by its peer. */
export interface LinkHandlers {
	onText(text: string): void;
	onBinary(bytes: Uint8Array): void;
	/** The peer broke the framing itself or sent more than any message may have; the link closes by itself. */
	onLinkError(): void;
	/** Once. */
	onClose(): void;
}
