import type { DaemonClient } from "#client/client.ts";
import type { Action } from "../store/action.ts";
import type { State } from "../store/state.ts";
import { formatCount, formatDuration, tildePath } from "../text/format.ts";

/** Prints what /status says: this conversation, the daemon, the login. */
export async function readStatus(
	client: DaemonClient,
	state: State,
	dispatch: (action: Action) => void,
): Promise<void> {
	const [status, account] = await Promise.all([
		client.call("daemon.status", {}),
		client.call("chat.account.read", {}),
	]);
	const { homeDir } = state.surroundings;
	const { thread, usage } = state;
	const lines: string[] = [];
	if (thread) {
		lines.push(
			`conversation  ${thread.agent_name} · ${[thread.provider, thread.model].filter(Boolean).join(" ")} · ${thread.thread_id}`,
			`folder        ${tildePath(thread.cwd, homeDir)} · approvals ${thread.approval_policy} · sandbox ${thread.sandbox}`,
		);
		if (usage) {
			const window = usage.modelContextWindow === null ? "" : ` of ${formatCount(usage.modelContextWindow)}`;
			lines.push(
				`tokens        ${formatCount(usage.total.totalTokens)} in all · ${formatCount(usage.last.totalTokens)}${window} in the last request`,
			);
		}
	} else {
		lines.push("conversation  none yet: the first message makes it");
	}
	lines.push(
		`login         ${account.provider}${account.model === null ? "" : ` ${account.model}`} · ${account.detail}`,
		`daemon        pid ${status.pid} · ${status.version} · up ${formatDuration(status.uptime_ms)} · ${Math.round(status.rss_bytes / 1_048_576)} MB`,
		`listens on    ${status.listeners.map((entry) => entry.address).join(", ")}`,
		`sandbox       ${status.sandbox.kind}${status.sandbox.available ? "" : " (not available)"}${status.sandbox.detail === null ? "" : ` · ${status.sandbox.detail}`}`,
		`terminals     ${state.terminals.filter((entry) => entry.status === "running").length} · pty-host ${status.pty_host.state}`,
		`store         ${status.store.state}${status.store.detail === null ? "" : ` · ${status.store.detail}`}`,
		`home          ${tildePath(status.home, homeDir)}`,
	);
	const key = `status:${state.printed.length}:${state.nowMs}`;
	dispatch({
		type: "printed",
		cell: { kind: "detail", key, done: true, title: "status", lines, isTable: true },
	});
}
