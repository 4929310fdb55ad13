import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { newId } from "#base/id.ts";
import type { PaintKind } from "#client/attach/host-message.ts";
import { type AttachSocket, openAttachSocket } from "#client/node/attach-socket.ts";
import type { CallContext, Caller } from "#daemon/gateway/handler.ts";
import { grantsOfRole } from "#daemon/policy/grant.ts";
import { createPtyService, type PtyService } from "#daemon/pty/pty-service.ts";
import { createStore } from "#daemon/storage/create-store.ts";
import type { Store } from "#daemon/storage/store.ts";
import type { Logger, Telemetry } from "#daemon/telemetry/port.ts";
import { type Paths, resolvePaths } from "#platform/paths.ts";
import type { Terminal } from "#protocol/record.ts";
import { createVirtualTerminal, type VirtualTerminal } from "./virtual-terminal.ts";

export const silentLogger: Logger = {
	debug: () => undefined,
	info: () => undefined,
	warn: () => undefined,
	error: () => undefined,
	child: () => silentLogger,
};
const silentTelemetry: Telemetry = {
	count: () => undefined,
	observe: () => undefined,
	gauge: () => ({ [Symbol.dispose]: () => undefined }),
	trace: () => undefined,
};

/** A caller as the gateway would have authenticated it on the Unix socket. */
export function callContext(clientId = "test"): CallContext {
	const caller: Caller = {
		identity: "local",
		role: "owner",
		grants: grantsOfRole("owner"),
		clientId,
		label: clientId,
		transport: "unix",
	};
	return {
		caller,
		allows: () => true,
		signal: new AbortController().signal,
		idempotency: undefined,
		connection: undefined,
	};
}

export interface TerminalDaemon extends AsyncDisposable {
	readonly service: PtyService;
	readonly store: Store;
	readonly paths: Paths;
	/** Everything published to terminals.state, newest last. */
	readonly published: Terminal[];
	/** Resolves when a published terminal matches. */
	waitForTerminal(matches: (terminal: Terminal) => boolean): Promise<Terminal>;
}

/** The daemon's side of terminals over a real store and a real pty-host process, in `home`. Disposing leaves host and home. */
export async function openTerminalDaemon(home: string): Promise<TerminalDaemon> {
	const env = { HOME: home, HOMIE_HOME: home, PATH: process.env["PATH"], SHELL: "/bin/sh", LANG: "C.UTF-8" };
	const paths = resolvePaths(env);
	const published: Terminal[] = [];
	const waiters = new Set<() => void>();
	const store = await createStore({
		path: paths.database,
		writerUrl: new URL("../../daemon/storage/writer-entry.ts", import.meta.url),
		backupsDir: join(home, "backups"),
		clock: systemClock,
		logger: silentLogger,
		onFatal: (error) => {
			throw error;
		},
	});
	const service = await createPtyService({
		paths,
		store,
		publish: (_name, event) => {
			const { value } = event as { value?: Terminal };
			if (value) published.push(value);
			for (const waiter of [...waiters]) waiter();
		},
		telemetry: silentTelemetry,
		logger: silentLogger,
		clock: systemClock,
		newId: () => newId(),
		hostEntry: new URL("../../daemon/pty/host-entry.ts", import.meta.url),
		env,
		machineId: "machine-1",
		fault: () => undefined,
	});
	return {
		service,
		store,
		paths,
		published,
		waitForTerminal: (matches) =>
			new Promise((resolve) => {
				function check(): void {
					const found = published.findLast(matches);
					if (!found) return;
					waiters.delete(check);
					resolve(found);
				}
				waiters.add(check);
				check();
			}),
		async [Symbol.asyncDispose]() {
			await service[Symbol.asyncDispose]();
			await store[Symbol.asyncDispose]();
		},
	};
}

/** A temporary home whose pty-host is ended, by the pid in its record, when disposed. */
export async function createTerminalHome(): Promise<
	AsyncDisposable & { path: string; hostPid(): number | undefined }
> {
	const path = await mkdtemp(join(tmpdir(), "term-"));
	function hostPid(): number | undefined {
		try {
			return (JSON.parse(readFileSync(join(path, "pty-host.json"), "utf8")) as { pid: number }).pid;
		} catch {
			return undefined;
		}
	}
	return {
		path,
		hostPid,
		async [Symbol.asyncDispose]() {
			const pid = hostPid();
			try {
				if (pid !== undefined) process.kill(pid, "SIGKILL");
			} catch {
				// It ended by itself in between.
			}
			await rm(path, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

export interface AttachedScreen extends AsyncDisposable {
	readonly socket: AttachSocket;
	readonly screen: VirtualTerminal;
	/** Every event so far. */
	readonly events: { event: string; [key: string]: unknown }[];
	waitForEvent(matches: (event: { event: string; [key: string]: unknown }) => boolean): Promise<void>;
	/** Offsets of the pieces, to see gaps and overlaps. */
	readonly pieces: { kind: "snapshot" | "output"; offset: number; length: number }[];
}

interface AttachTestOptions {
	mode?: "drive" | "watch";
	takeover?: boolean;
	clientId?: string;
	size?: { cols: number; rows: number };
	paint?: PaintKind;
}

/** Attaches by ticket and shows the terminal on a virtual screen. */
export async function attachScreen(
	daemon: TerminalDaemon,
	terminal: string,
	options: AttachTestOptions = {},
): Promise<AttachedScreen> {
	const size = options.size ?? { cols: 80, rows: 24 };
	const screen = createVirtualTerminal(size);
	const events: { event: string }[] = [];
	const pieces: AttachedScreen["pieces"] = [];
	const waiters = new Set<() => void>();
	const attached = await daemon.service.handlers["terminal.session.attach"](
		{ terminal, via: "ticket", mode: options.mode ?? "drive", takeover: options.takeover ?? false },
		callContext(options.clientId),
	);
	const socket = await openAttachSocket({
		socketPath: attached.socket_path ?? "",
		ticket: attached.ticket ?? "",
		size,
		paint: options.paint ?? "full",
		handlers: {
			onSnapshot(offset, bytes) {
				pieces.push({ kind: "snapshot", offset, length: bytes.length });
				void screen.write(bytes.slice());
			},
			onOutput(offset, bytes) {
				pieces.push({ kind: "output", offset, length: bytes.length });
				void screen.write(bytes.slice());
			},
			onEvent(event) {
				events.push(event);
				for (const waiter of [...waiters]) waiter();
			},
			onClose: () => undefined,
		},
	});
	return {
		socket,
		screen,
		events,
		pieces,
		waitForEvent: (matches) =>
			new Promise((resolve) => {
				function check(): void {
					if (!events.some(matches)) return;
					waiters.delete(check);
					resolve();
				}
				waiters.add(check);
				check();
			}),
		async [Symbol.asyncDispose]() {
			socket.close();
			screen[Symbol.dispose]();
		},
	};
}
