/** How a client of the Codex protocol reached us. */
export type CodexPeerKind = "stdio" | "unix" | "websocket";

/** One connection that speaks the Codex app-server protocol: one JSON text for each message, in order, both ways. */
export interface CodexLink {
	/** For people and logs, for example "stdio" or "unix #3". */
	readonly label: string;
	readonly kind: CodexPeerKind;
	/** Takes one message without a line end; never throws, and does nothing once the link is closed. */
	send(text: string): void;
	/** One listener; what arrives before it is set is kept for it. */
	onMessage(listener: (text: string) => void): Disposable;
	/** Called once; at once when the link is closed already. */
	onClose(listener: () => void): Disposable;
	/** Ends the connection from our side. */
	close(): void;
}
