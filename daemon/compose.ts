import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { Paths } from "#platform/paths.ts";
import type { DaemonStatus } from "#protocol/record.ts";
import type { TopicEvent } from "#protocol/topic/index.ts";
import { createLocalEnvironment } from "./agent/local-environment.ts";
import type { RolloutLibrary } from "./agent/rollout/port.ts";
import type { CodexRunner } from "./agent/runner/runner.ts";
import { createBus } from "./bus/create-bus.ts";
import type { Bus } from "./bus/port.ts";
import type { CodexFacade } from "./codex/facade.ts";
import { type Agent, openAgent } from "./compose-agent.ts";
import { type CodexSide, openCodexSide } from "./compose-codex.ts";
import { entryUrl } from "./entry-url.ts";
import { createGateway, type Gateway } from "./gateway/create-gateway.ts";
import { createHub } from "./gateway/create-hub.ts";
import type { Handlers } from "./gateway/handler.ts";
import type { Hub, Publish } from "./gateway/hub.ts";
import type { Flags } from "./lifecycle/flags.ts";
import type { Shutdown } from "./lifecycle/shutdown.ts";
import { createPtyService, type PtyService } from "./pty/pty-service.ts";
import { createAccountHandlers } from "./service/account/handlers.ts";
import { createBackgroundHandlers } from "./service/background/handlers.ts";
import { createBudgetHandlers } from "./service/budget/handlers.ts";
import { createChatHandlers } from "./service/chat/handlers.ts";
import { createDaemonHandlers } from "./service/daemon/handlers.ts";
import { withThreads } from "./service/ensure-thread.ts";
import { eventsHandlers } from "./service/events/index.ts";
import { createRolloutHandlers } from "./service/rollout/handlers.ts";
import { createWeaveHandlers } from "./service/weave/handlers.ts";
import { createStatus } from "./status.ts";
import { createStore } from "./storage/create-store.ts";
import type { Store } from "./storage/store.ts";
import type { TelemetryStore } from "./telemetry/metrics.ts";
import type { FaultPoint, Logger } from "./telemetry/port.ts";
import { createCoordSocket } from "./transport/uds/create-coord-socket.ts";

/** What the process hands in; everything below sees only parts of it. */
export interface DaemonWorld {
	paths: Paths;
	env: Readonly<Record<string, string | undefined>>;
	port: number | undefined;
	web: boolean;
	token: string;
	machineId: string;
	epoch: string;
	startedAtMs: number;
	flags: Flags;
	telemetry: TelemetryStore;
	logger: Logger;
	shutdown: Shutdown;
	clock: Clock;
	newId: NewId;
	random: () => number;
	fault: FaultPoint;
}

/** A daemon that answers. It is taken down by the shutdown's steps. */
export interface Daemon {
	readonly listeners: readonly { kind: string; address: string }[];
	readonly codex: CodexFacade;
}

async function openStore(world: DaemonWorld) {
	const { paths, clock, logger, shutdown } = world;
	return createStore({
		path: paths.database,
		writerUrl: entryUrl("store-writer", "./storage/writer-entry.ts"),
		backupsDir: join(paths.home, "backups"),
		clock,
		logger,
		// Nothing can be acknowledged without the writer; a new process starts from what is on disk.
		onFatal: (error) =>
			void shutdown.begin({ kind: "fatal", detail: error.message, exitCode: error.exitCode }),
	});
}

/** Threads change status by turns; the bus derives the state of agents and sessions from it. */
function tellBus(publish: Publish, bus: () => Bus): Publish {
	return (name, event, options) => {
		publish(name, event, options);
		if (name !== "chats.state") return;
		const change = event as TopicEvent<"chats.state">;
		if (change.op === "put") bus().threadChanged(change.value);
	};
}

function provideTopics(
	hub: Hub,
	{
		runner,
		rollouts,
		bus,
		pty,
		status,
	}: { runner: CodexRunner; rollouts: RolloutLibrary; bus: Bus; pty: PtyService; status: () => DaemonStatus },
): void {
	hub.provide("daemon.state", status);
	hub.provide("chats.state", () => runner.chatsSnapshot());
	hub.provide("chats.activity", async (threadId) => {
		await rollouts.ensureThread(threadId);
		return runner.activitySnapshot(threadId);
	});
	hub.provide("approvals.state", () => runner.approvalsSnapshot());
	hub.provide("terminals.state", () => pty.terminalsSnapshot());
	hub.provide("sessions.state", () => bus.snapshots.sessions());
	hub.provide("agents.state", () => bus.snapshots.agents());
	hub.provide("sessions.activity", (sessionId) => bus.snapshots.activity(sessionId));
}

/** What `daemon.stop` does: the answer goes out first. */
function stopper(shutdown: Shutdown, pty: PtyService, terminals: { end: boolean }) {
	return (options: { terminals: boolean }) => {
		terminals.end = options.terminals;
		setImmediate(() => void shutdown.begin({ kind: "request", detail: "stop was asked for", exitCode: 0 }));
		return { pty_host_pid: pty.status().pid };
	};
}

interface Parts {
	store: Store;
	hub: Hub;
	environment: AsyncDisposable;
	agent: Agent;
	bus: Bus;
	pty: PtyService;
	coordSocket: AsyncDisposable;
	codex: CodexSide;
	codexSocket: AsyncDisposable;
	gateway: Gateway;
	/** `end`: stop ends the terminals too. */
	terminals: { end: boolean };
}

/** Clients hear of every ended turn before their connections close, and the store closes last. */
function addSteps(shutdown: Shutdown, parts: Parts): void {
	const { gateway, hub, agent, pty } = parts;
	const dispose = (part: AsyncDisposable) => async () => part[Symbol.asyncDispose]();
	shutdown.add("stop-accepting", "gateway", () => gateway.beginDrain());
	shutdown.add("announce", "daemon.state", () =>
		hub.publish("daemon.state", { state: "stopping", reason: shutdown.cause?.detail ?? null }),
	);
	shutdown.add("abort-turns", "turns", dispose(agent.runner));
	shutdown.add("drain", "codex.sock", dispose(parts.codexSocket));
	shutdown.add("drain", "codex clients", () => parts.codex.facade[Symbol.dispose]());
	shutdown.add("drain", "coord.sock", dispose(parts.coordSocket));
	shutdown.add("drain", "bus", dispose(parts.bus));
	shutdown.add("release-terminals", "terminals", () =>
		parts.terminals.end ? pty.stopTerminals() : undefined,
	);
	shutdown.add("flush", "gateway", dispose(gateway));
	shutdown.add("flush", "pty-host link", dispose(pty));
	shutdown.add("flush", "agent", dispose(agent));
	shutdown.add("flush", "environment", dispose(parts.environment));
	shutdown.add("flush", "hub", () => hub[Symbol.dispose]());
	shutdown.add("flush", "store", dispose(parts.store));
}

/** Every method of the gateway. */
function createHandlers(
	{ clock, store, agent, bus, pty }: Pick<Parts, "store" | "agent" | "bus" | "pty"> & { clock: Clock },
	daemonHandlers: ReturnType<typeof createDaemonHandlers>,
): Handlers {
	const { selector, runner, meter, background, rollouts } = agent;
	return {
		...eventsHandlers,
		...withThreads(createChatHandlers({ runner, selector }), rollouts.ensureThread),
		...createRolloutHandlers({ library: rollouts, runner }),
		...createAccountHandlers({ account: selector.accounts, clock }),
		...createBudgetHandlers({ meter, store }),
		...createBackgroundHandlers({ background }),
		...createWeaveHandlers({ bus }),
		...pty.handlers,
		...daemonHandlers,
	};
}

/**
 * Builds and wires the whole daemon; resolves when it answers. The order is the order of need: the store, then who
 * writes to it, then who lets clients in. Recovery is over before the first client is let in.
 * @throws AppError why it cannot start; what was built by then is taken down again.
 */
export async function composeDaemon(world: DaemonWorld): Promise<Daemon> {
	const { paths, clock, newId, telemetry, logger, shutdown, fault } = world;
	await using stack = new AsyncDisposableStack();
	const { machineId, env } = world;
	// Both mostly wait: one for a thread, the other for a process.
	const opening = openStore(world);
	const probing = createLocalEnvironment({ machineId, paths, env, clock });
	await Promise.allSettled([opening, probing]);
	const store = stack.use(await opening);
	const environment = stack.use(await probing);
	const hub = stack.use(createHub({ epoch: world.epoch }));
	let bus: Bus;
	const publish = tellBus(hub.publish, () => bus);
	const agent = stack.use(openAgent(world, { store, publish, environment }));
	const { selector, runner, rollouts } = agent;
	bus = stack.use(createBus({ store, clock, newId, publish, threads: runner, telemetry, logger, fault }));
	const pty = stack.use(
		await createPtyService({
			...{
				paths,
				store,
				publish,
				telemetry,
				logger,
				clock,
				newId,
				fault,
				env: world.env,
				machineId: world.machineId,
			},
			hostEntry: entryUrl("pty-host", "./pty/host-entry.ts"),
		}),
	);
	const terminals = { end: false };
	const status = createStatus({
		...world,
		store,
		pty,
		runner,
		bus,
		selector,
		environment,
		gateway: () => gateway,
	});
	stack.use(bus.onThreadAgentChanged((threadId) => runner.threadTouched(threadId)));
	provideTopics(hub, { runner, rollouts, bus, pty, status });
	await runner.recover();
	await bus.start();
	rollouts.start();
	const coordSocket = stack.use(
		await createCoordSocket({ path: paths.coordSocket, bus, clock, logger, telemetry }),
	);
	const codex = openCodexSide(world, agent, environment);
	stack.use(codex.facade);
	const codexSocket = stack.use(await codex.listen());
	const gateway = await createGateway({
		...{
			paths,
			hub,
			store,
			telemetry,
			logger,
			clock,
			port: world.port,
			web: world.web,
			token: world.token,
			epoch: world.epoch,
		},
		handlers: createHandlers(
			{ clock, store, agent, bus, pty },
			createDaemonHandlers({ status, requestStop: stopper(shutdown, pty, terminals) }),
		),
		codex: codex.upgrades,
		renderMetrics: telemetry.renderMetrics,
		isReady: () => !shutdown.signal.aborted,
	});
	const { signal } = shutdown;
	if (signal.aborted) throw signal.reason;
	addSteps(shutdown, {
		...{ store, hub, environment, agent, bus, pty, coordSocket, codex, codexSocket, gateway, terminals },
	});
	stack.move();
	const listeners = [...gateway.listeners, { kind: "codex", address: paths.codexSocket }];
	return { listeners, codex: codex.facade };
}
