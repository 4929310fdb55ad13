import type { Peer } from "../connection.ts";
import type { JsonObject } from "../wire/decode.ts";
import { createLiveThread, type LiveThread, type SharedRequest, statusOf } from "./live-thread.ts";
import type { ThreadStatus } from "./thread-view.ts";

/** The threads in use, who follows them, and what they are told. */
export interface Desk {
	/** The thread's record, made on first sight. */
	open(threadId: string): LiveThread;
	find(threadId: string): LiveThread | undefined;
	forget(threadId: string): void;
	loaded(): string[];
	status(threadId: string): ThreadStatus;
	/** Tells everybody where the status differs from what was told last. */
	tellStatus(live: LiveThread): void;
	/** Tells every greeted client; what is about a thread keeps its order with the answers about it. */
	tellAll(method: string, params: JsonObject, threadId: string | null): void;
	/** Tells those who follow the thread. */
	tell(live: LiveThread, method: string, params: JsonObject): void;
	/** From now on the client hears of the thread, first of all what waits for an answer. */
	subscribe(live: LiveThread, peer: Peer): void;
	unsubscribe(live: LiveThread, peer: Peer): boolean;
	/** Asks every follower, also those to come, until `settle`. */
	ask(live: LiveThread, key: string, request: Omit<SharedRequest, "asked" | "answeredBy">): void;
	/** The request is over: whoever was asked learns so. */
	settle(live: LiveThread, key: string): void;
	/** Takes the client off all threads. */
	leave(peer: Peer): void;
}

function askPeer(live: LiveThread, key: string, peer: Peer): void {
	peer.inOrder(live.threadId, () => {
		const request = live.requests.get(key);
		// Somebody may have answered while this one's copy waited.
		if (request === undefined || request.answeredBy !== null || !live.subscribers.has(peer)) return;
		const id = peer.ask(request.method, request.params, (how) => {
			if (how.kind === "gone" || request.answeredBy !== null) return;
			request.answeredBy = peer;
			request.answer(
				how.kind === "result" ? how.result : undefined,
				how.kind === "error" ? how.message : null,
				peer,
			);
		});
		request.asked.set(peer, id);
	});
}

export function createDesk(peers: ReadonlySet<Peer>): Desk {
	const threads = new Map<string, LiveThread>();

	function open(threadId: string): LiveThread {
		const known = threads.get(threadId) ?? createLiveThread(threadId);
		threads.set(threadId, known);
		return known;
	}

	function tellAll(method: string, params: JsonObject, threadId: string | null): void {
		for (const peer of peers) if (peer.isInitialized) peer.tell(method, params, threadId);
	}

	return {
		open,
		find: (threadId) => threads.get(threadId),
		forget: (threadId) => void threads.delete(threadId),
		loaded: () => [...threads.values()].filter((live) => live.loaded).map((live) => live.threadId),
		status: (threadId) => statusOf(threads.get(threadId)),
		tellStatus(live) {
			const status = statusOf(live);
			const told = JSON.stringify(status);
			if (told === live.toldStatus) return;
			live.toldStatus = told;
			tellAll("thread/status/changed", { threadId: live.threadId, status }, live.threadId);
		},
		tellAll,
		tell(live, method, params) {
			for (const peer of live.subscribers) peer.tell(method, params, live.threadId);
		},
		subscribe(live, peer) {
			if (live.subscribers.has(peer) || !peer.isOpen) return;
			live.subscribers.add(peer);
			for (const key of live.requests.keys()) askPeer(live, key, peer);
		},
		unsubscribe: (live, peer) => live.subscribers.delete(peer),
		ask(live, key, request) {
			live.requests.set(key, { ...request, asked: new Map(), answeredBy: null });
			for (const peer of live.subscribers) askPeer(live, key, peer);
		},
		settle(live, key) {
			const request = live.requests.get(key);
			if (request === undefined) return;
			live.requests.delete(key);
			const { threadId } = live;
			for (const [peer, requestId] of request.asked) {
				if (request.quietToAnswerer && peer === request.answeredBy) continue;
				peer.tell("serverRequest/resolved", { threadId, requestId }, threadId);
			}
		},
		leave(peer) {
			for (const live of threads.values()) live.subscribers.delete(peer);
		},
	};
}
