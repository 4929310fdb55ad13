import type { Clock } from "#base/clock.ts";
import type { Paths } from "#platform/paths.ts";
import { VERSION } from "#protocol/limits.ts";
import type { DaemonStatus } from "#protocol/record.ts";
import { defaultBackend } from "./agent/cli-runner/cli-backend.ts";
import type { Environment } from "./agent/environment.ts";
import type { ProviderSelector } from "./agent/provider/select.ts";
import type { CodexRunner } from "./agent/runner/runner.ts";
import type { Bus } from "./bus/port.ts";
import type { Gateway } from "./gateway/create-gateway.ts";
import type { Flags } from "./lifecycle/flags.ts";
import type { PtyService } from "./pty/pty-service.ts";
import type { Store } from "./storage/store.ts";

interface StatusSources {
	paths: Paths;
	epoch: string;
	machineId: string;
	startedAtMs: number;
	clock: Clock;
	flags: Flags;
	store: Store;
	pty: PtyService;
	runner: CodexRunner;
	env: Readonly<Record<string, string | undefined>>;
	bus: Bus;
	selector: ProviderSelector;
	environment: Environment;
	/** Made after this; asked for at each call. */
	gateway(): Gateway;
}

function providerState(selector: ProviderSelector): DaemonStatus["provider"] {
	try {
		const { provider, model, detail } = selector.account();
		return { name: provider, model, detail };
	} catch (error) {
		// A broken config.toml must not hide the rest of the status.
		return { name: "none", model: null, detail: (error as Error).message };
	}
}

/** Answers `daemon.status`, read anew at each call. */
export function createStatus(sources: StatusSources): () => DaemonStatus {
	const { paths, store, runner, bus, pty, clock, environment } = sources;
	return () => {
		const gateway = sources.gateway();
		const { state, detail, sizeBytes, schemaVersion } = store.status();
		const sessions = bus.listSessions({ closed: false });
		return {
			pid: process.pid,
			version: VERSION,
			epoch: sources.epoch,
			machine_id: sources.machineId,
			home: paths.home,
			weave_home: paths.weaveHome,
			codex_home: paths.codexHome,
			started_at_ms: sources.startedAtMs,
			uptime_ms: clock.nowMs() - sources.startedAtMs,
			listeners: [...gateway.listeners, { kind: "weave", address: paths.coordSocket }],
			counts: {
				threads: runner.chatsSnapshot().threads.length,
				approvals: runner.approvalsSnapshot().approvals.length,
				...runner.counts,
				...pty.counts(),
				sessions: sessions.length,
				agents: sessions.reduce((sum, session) => sum + session.agent_count, 0),
				connections: gateway.connections,
			},
			pty_host: pty.status(),
			sandbox: environment.sandbox,
			provider: providerState(sources.selector),
			agent_backend: defaultBackend(sources.env),
			store: { state, detail, size_bytes: sizeBytes, schema_version: schemaVersion },
			flags: sources.flags.list(),
			rss_bytes: process.memoryUsage.rss(),
		};
	};
}
