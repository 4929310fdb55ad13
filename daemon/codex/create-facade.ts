import { EXPERIMENTAL_MEMBERS, EXPERIMENTAL_METHODS, METHODS } from "#protocol/codex/methods.generated.ts";
import type { Thread } from "#protocol/record.ts";
import { createPeer, type Peer, type Serve } from "./connection.ts";
import type { CodexFacade, CodexFacadePorts } from "./facade.ts";
import { createInitialize } from "./initialize.ts";
import { type CodexConnection, CodexError, type CodexMethod } from "./method.ts";
import { createOffice, type Methods, type Office } from "./office.ts";
import { createActMethods } from "./thread/act-methods.ts";
import { createDesk, type Desk } from "./thread/desk.ts";
import { createForkMethods } from "./thread/fork-methods.ts";
import { createGoalMethods } from "./thread/goal-methods.ts";
import type { LiveThread } from "./thread/live-thread.ts";
import { createOpenMethods } from "./thread/open-methods.ts";
import { createReadMethods } from "./thread/read-methods.ts";
import { createReadStates, type ReadStates } from "./thread/read-state.ts";
import { createSettingsMethods } from "./thread/settings-methods.ts";
import { createShelfMethods } from "./thread/shelf-methods.ts";
import { createSmallMethods } from "./thread/small-methods.ts";
import { createEventMap } from "./turn/event-map.ts";
import { createReviewMethods } from "./turn/review-methods.ts";
import { createServerRequests } from "./turn/server-requests.ts";
import { createTurnMethods } from "./turn/turn-methods.ts";
import { invalidRequest, isObject, type JsonObject, unknownVariant } from "./wire/decode.ts";

const METHOD_NOT_THERE = -32601;
const EXPERIMENTAL: ReadonlySet<string> = new Set(EXPERIMENTAL_METHODS);

/** Refuses members of the experimental protocol to a client that did not ask for it. */
function assertAllowed(method: string, params: unknown, peer: Peer): void {
	if (peer.experimentalApi) return;
	if (EXPERIMENTAL.has(method)) throw new CodexError(`${method} requires experimentalApi capability`);
	if (!isObject(params)) return;
	for (const member of EXPERIMENTAL_MEMBERS[method] ?? []) {
		const value = params[member];
		if (value === undefined || value === null || value === false) continue;
		throw new CodexError(`${method}.${member} requires experimentalApi capability`);
	}
}

/** The connection as one request sees it: what it asks to run after the answer belongs to it alone. */
function connectionOf(peer: Peer, after: (action: () => void) => void): CodexConnection {
	return {
		connectionId: peer.connectionId,
		label: peer.label,
		client: peer.client,
		experimentalApi: peer.experimentalApi,
		notify: peer.notify,
		request: peer.request,
		broadcast: peer.broadcast,
		onClose: peer.onClose,
		afterResponse: after,
	};
}

interface Served {
	readonly methods: Methods;
	readonly installation: Readonly<Record<string, CodexMethod>>;
	readonly initialize: ReturnType<typeof createInitialize>;
	readonly ensureThread: NonNullable<CodexFacadePorts["ensureThread"]>;
}

const NAMES: ReadonlySet<string> = new Set(METHODS);

/** A method's handler by its name, never a member that every object has. */
function handlerOf<H>(handlers: Readonly<Record<string, H>>, method: string): H | undefined {
	return Object.hasOwn(handlers, method) ? handlers[method] : undefined;
}

function requireParams(params: unknown): unknown {
	if (params === undefined || params === null) throw invalidRequest("missing field `params`");
	return params;
}

/** The thread that a request is about; none has the empty name. */
function threadIdOf(params: unknown): string {
	const threadId = isObject(params) ? params["threadId"] : undefined;
	return typeof threadId === "string" ? threadId : "";
}

function createServe({ methods, installation, initialize, ensureThread }: Served): Serve {
	return async ({ method, params }, peer, after) => {
		if (!NAMES.has(method)) throw unknownVariant(method, METHODS);
		if (method === "initialize") return initialize(params, peer, after);
		if (!peer.isInitialized) throw new CodexError("Not initialized");
		assertAllowed(method, params, peer);
		const own = handlerOf(methods, method);
		if (own !== undefined) {
			const threadId = threadIdOf(params);
			if (threadId !== "") await ensureThread(threadId);
			return own(requireParams(params), { peer, after });
		}
		const installed = handlerOf(installation, method);
		if (installed === undefined) throw new CodexError(`${method} is not supported yet`, METHOD_NOT_THERE);
		return installed(isObject(params) ? params : {}, connectionOf(peer, after));
	};
}

/** A thread that nobody of this protocol knew: told to all, if it was made just now and by somebody else. */
function meetThread({ desk, making, show }: Office, thread: Thread, startedAtMs: number): void {
	const isNew = thread.created_at_ms >= startedAtMs && thread.turn_count === 0 && !thread.archived;
	if (!isNew || making.count > 0 || thread.settings?.ephemeral) return;
	desk.open(thread.thread_id).title = thread.title;
	desk.tellAll("thread/started", { thread: show(thread) }, thread.thread_id);
}

function tellShelf(desk: Desk, live: LiveThread, archived: boolean): void {
	live.archived = archived;
	const { threadId } = live;
	if (archived) {
		live.loaded = false;
		desk.tellStatus(live);
	}
	desk.tellAll(archived ? "thread/archived" : "thread/unarchived", { threadId }, threadId);
}

/** Clients hear of threads that others make, rename and put away. */
function followThreads(office: Office, startedAtMs: number): Disposable {
	const { ports, desk } = office;
	return ports.runner.onThreadChanged((thread) => {
		const { thread_id: threadId, title } = thread;
		const known = desk.find(threadId);
		if (known === undefined) {
			meetThread(office, thread, startedAtMs);
			return;
		}
		const isRenamed = known.title !== undefined && title !== known.title && thread.named !== false;
		known.title = title;
		if (isRenamed) desk.tellAll("thread/name/updated", { threadId, threadName: title }, threadId);
		if (thread.archived !== known.archived) tellShelf(desk, known, thread.archived);
	});
}

function methodsOf(office: Office, readStates: ReadStates): Methods {
	return {
		...createOpenMethods(office),
		...createForkMethods(office),
		...createReadMethods(office, readStates),
		...readStates.methods,
		...createShelfMethods(office),
		...createSettingsMethods(office),
		...createGoalMethods(office),
		...createActMethods(office),
		...createTurnMethods(office),
		...createReviewMethods(office),
		...createSmallMethods(office),
	};
}

function createNews(ports: CodexFacadePorts, desk: Desk, readStates: ReadStates): Disposable {
	const { runner, clock, logger } = ports;
	const requests = createServerRequests({ desk, runner, logger });
	const tell = createEventMap({ desk, requests, clock, turnEnded: readStates.turnEnded });
	return runner.onEvent((event) => {
		try {
			tell(event);
		} catch (error) {
			logger.error("an event could not be told to codex clients", { type: event.type, error: String(error) });
		}
	});
}

/** The facade over a runner; disposing it closes what it listens to and every connection. */
export function createCodexFacade(ports: CodexFacadePorts): CodexFacade {
	const { clock, newId, logger } = ports;
	const peers = new Set<Peer & { close(): void }>();
	const desk = createDesk(peers);
	const office = createOffice(ports, desk);
	const readStates = createReadStates(office);
	const serve = createServe({
		ensureThread: ports.ensureThread ?? (() => Promise.resolve()),
		methods: methodsOf(office, readStates),
		installation: ports.installation,
		initialize: createInitialize(ports),
	});
	const stack = new DisposableStack();
	stack.use(createNews(ports, desk, readStates));
	stack.use(followThreads(office, clock.nowMs()));
	stack.use(
		ports.notices?.on(({ threadId, method, params }) => desk.tell(desk.open(threadId), method, params)) ??
			null,
	);
	stack.defer(() => {
		for (const peer of [...peers]) peer.close();
	});

	return {
		connect(link) {
			const broadcast = (method: string, params: unknown): void =>
				desk.tellAll(method, params as JsonObject, null);
			const peer = createPeer({ link, connectionId: newId(), clock, logger, serve, broadcast });
			peers.add(peer);
			peer.onClose(() => {
				peers.delete(peer);
				desk.leave(peer);
			});
			return {
				[Symbol.dispose]() {
					peer.close();
					link.close();
				},
			};
		},
		[Symbol.dispose]: () => stack.dispose(),
	};
}
