import type { LinkHandlers, ServerLink } from "#daemon/gateway/server-link.ts";
import { CLOSE_CODE } from "#protocol/limits.ts";
import type { CodexLink, CodexPeerKind } from "../link.ts";
import { createLink } from "./create-link.ts";

/** One Codex client on a WebSocket: what the gateway calls, and the link for the facade. */
export interface CodexWebSocketClient extends LinkHandlers {
	readonly link: CodexLink;
	shut(code: number, reason: string): void;
}

/** One JSON text for each text frame; binary frames are no part of the protocol and end the connection. */
export function createCodexWebSocketClient(
	server: ServerLink,
	place: { label: string; kind: CodexPeerKind },
	reading: { pause(): void; resume(): void },
): CodexWebSocketClient {
	const wired = createLink(place, {
		write: (texts) => server.writeTexts([texts]),
		get bufferedBytes() {
			return server.bufferedBytes;
		},
		pause: reading.pause,
		resume: reading.resume,
		close(reason) {
			if (reason === "slow") server.close(CLOSE_CODE.slowConsumer, "slow consumer");
			else server.close(1000, "");
		},
	});
	server.onDrain = wired.drained;

	function shut(code: number, reason: string): void {
		server.close(code, reason);
		wired.ended();
	}

	return {
		link: wired.link,
		onText: wired.received,
		onBinary: () => shut(CLOSE_CODE.policy, "text frames only"),
		onLinkError: wired.ended,
		onClose: wired.ended,
		shut,
	};
}
