import { createHash } from "node:crypto";
import type { CodexRunner } from "#daemon/agent/runner/runner.ts";
import type { Thread, Turn } from "#protocol/record.ts";
import type { Peer } from "../connection.ts";
import { CodexError } from "../method.ts";
import { callOf, type Methods, type Office } from "../office.ts";
import { threadReadState } from "../params/thread.ts";
import { isObject, type JsonObject } from "../wire/decode.ts";
import { assertThreadId } from "../wire/thread-id.ts";
import type { LiveThread } from "./live-thread.ts";

/** What of a thread the person has seen: everything up to a turn. */
interface Seen {
	readonly turnId: string | null;
	/** How often that was changed. */
	readonly changes: number;
}

export interface ReadStates {
	read(thread: Thread): JsonObject;
	/** Only of threads whose state costs no reading of turns. */
	ofMany(threads: readonly Thread[]): JsonObject;
	/** Tells the clients that use the experimental protocol that there is something new to read. */
	turnEnded(live: LiveThread, turn: Turn): void;
	readonly methods: Methods;
}

function seenOf(thread: Thread): Seen {
	const stored = thread.settings?.["read_state"];
	if (!isObject(stored)) return { turnId: null, changes: 0 };
	const { turn_id, changes } = stored;
	return {
		turnId: typeof turn_id === "string" ? turn_id : null,
		changes: typeof changes === "number" ? changes : 0,
	};
}

/** The same state has the same revision, also after a restart: a UUID made of its hash. */
function revisionOf(threadId: string, firstUnread: string | null, { changes }: Seen): string {
	const hex = createHash("sha256").update(`${threadId}|${firstUnread}|${changes}`).digest("hex");
	const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
	const groups = [
		hex.slice(0, 8),
		hex.slice(8, 12),
		`4${hex.slice(13, 16)}`,
		`${variant}${hex.slice(17, 20)}`,
	];
	return [...groups, hex.slice(20, 32)].join("-");
}

function viewState(threadId: string, firstUnread: string | null, seen: Seen): JsonObject {
	// Nothing was ever there to be read, and nobody said anything about it.
	const isInitial = firstUnread === null && seen.changes === 0;
	return {
		firstUnread: firstUnread === null ? null : { type: "turn", turnId: firstUnread },
		revision: isInitial ? `initial:${threadId}` : revisionOf(threadId, firstUnread, seen),
	};
}

/** Turns looked at when searching for the first one that nobody read. */
const LOOK_BACK = 1000;

/** A turn that runs, was interrupted or only compacted is nothing to read, for the reference. */
function saysSomething({ status, items }: Turn): boolean {
	return status === "completed" && items.some((item) => item.type === "agentMessage");
}

function firstUnread(runner: CodexRunner, thread: Thread): string | null {
	const { turnId } = seenOf(thread);
	if (thread.turn_count === 0) return null;
	const { turns } = runner.readThread({ thread_id: thread.thread_id, limit: LOOK_BACK });
	// Ids of turns grow with time, so that a seen turn that was taken back since still divides old from new.
	const isNew = ({ turn_id }: Turn): boolean => turnId === null || turn_id > turnId;
	return turns.find((turn) => isNew(turn) && saysSomething(turn))?.turn_id ?? null;
}

export function createReadStates(office: Office): ReadStates {
	const { ports, desk } = office;
	const { runner } = ports;
	/** First unread turn by thread, as last looked up. */
	const known = new Map<string, string | null>();

	function read(thread: Thread): JsonObject {
		const first = firstUnread(runner, thread);
		known.set(thread.thread_id, first);
		return viewState(thread.thread_id, first, seenOf(thread));
	}

	function tell(peers: Iterable<Peer>, threadId: string, readState: JsonObject): void {
		for (const peer of peers) {
			if (peer.experimentalApi) peer.tell("thread/readState/changed", { threadId, readState }, threadId);
		}
	}

	async function update(params: unknown, peer: Peer) {
		const { threadId, operation, expectedRevision } = threadReadState.decode(params);
		assertThreadId(threadId);
		const thread = office.findThread(threadId);
		if (thread === undefined || thread.settings?.ephemeral)
			throw new CodexError("thread read state unavailable");
		if (read(thread)["revision"] !== expectedRevision) {
			throw new CodexError("thread read state revision does not match");
		}
		const { turns } = runner.readThread({ thread_id: threadId, limit: 1 });
		const last = turns.at(-1)?.turn_id ?? null;
		const next = { turn_id: operation.type === "read" ? last : null, changes: seenOf(thread).changes + 1 };
		const patch = { settings: { read_state: next } };
		const changed = await runner.patchThread({ thread_id: threadId, patch }, callOf(peer));
		const readState = read(changed.thread);
		const live = desk.find(threadId);
		if (live !== undefined) tell(live.subscribers, threadId, readState);
		return { readState };
	}

	return {
		read,
		ofMany(threads) {
			const states = threads.flatMap((thread) => {
				const first = known.get(thread.thread_id);
				return first === undefined
					? []
					: [[thread.thread_id, viewState(thread.thread_id, first, seenOf(thread))] as const];
			});
			return Object.fromEntries(states);
		},
		turnEnded(live) {
			const curious = [...live.subscribers].filter((peer) => peer.experimentalApi);
			const before = known.get(live.threadId);
			if (curious.length === 0) {
				if (before === null) known.delete(live.threadId);
				return;
			}
			const thread = office.findThread(live.threadId);
			// What waits to be read already stays the first of it.
			if (thread === undefined || thread.settings?.ephemeral || typeof before === "string") return;
			const readState = read(thread);
			if (readState["firstUnread"] !== null) tell(curious, live.threadId, readState);
		},
		methods: {
			async "thread/readState/update"(params, request) {
				const { threadId } = threadReadState.decode(params);
				office.answerFirst(request, threadId);
				return update(params, request.peer);
			},
		},
	};
}
