import type { Clock } from "#base/clock.ts";
import type { NewId } from "#base/id.ts";
import type { CodexRunner } from "#daemon/agent/runner/runner.ts";
import type { Logger } from "#daemon/telemetry/port.ts";
import type { Thread } from "#protocol/record.ts";
import type { CodexLink } from "./link.ts";
import type { InstallationMethods } from "./method.ts";

export interface ThreadNotice {
	readonly threadId: string;
	readonly method: string;
	readonly params: Readonly<Record<string, unknown>>;
}

export interface CodexFacadePorts {
	readonly runner: CodexRunner;
	readonly clock: Clock;
	readonly newId: NewId;
	readonly logger: Logger;
	/** `cwd`: where threads work whose client names no folder; `home` when absent. */
	readonly paths: { readonly codexHome: string; readonly home: string; readonly cwd?: string };
	/** `protocol` is the version of Codex that we speak, `ours` that of weave-codex. */
	readonly identity: {
		readonly protocol: string;
		readonly ours: string;
		/** Codex `SessionSource` of threads made here; "vscode", as the reference has it. */
		readonly sessionSource?: string;
	};
	readonly installation: InstallationMethods;
	/** A client has taken a thread into use. */
	onThreadOpened?(thread: Thread): void;
	/** What parts beside the runner tell of a thread: a Codex notification, threadId included. */
	readonly notices?: { on(listener: (notice: ThreadNotice) => void): Disposable };
	/** Awaited before a request about a thread: what another program wrote of it is there afterwards. Never rejects. */
	ensureThread?(threadId: string): Promise<void>;
	/** Id in config.toml of the provider that a thread of our provider `codex` talks to; `codex` when absent. */
	readonly providerId?: () => string;
}

/** The Codex app-server protocol over any number of links; threads and their loaded state are shared by all of them. */
export interface CodexFacade extends Disposable {
	/** Serves the link until it closes or the returned handle is disposed. */
	connect(link: CodexLink): Disposable;
}
