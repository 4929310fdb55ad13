import type { ChatSnapshot } from "#protocol/chat-event.ts";
import type { CommandExecutionItem, FileChangeItem, Item } from "#protocol/codex-item.ts";
import type { Approval, Terminal, Thread, Turn, WeaveAgent, WeaveMessage } from "#protocol/record.ts";

/** Records as the daemon would send them; give only what a test is about. */
export const AT_MS = 1_700_000_000_000;

export function makeThread(part: Partial<Thread> = {}): Thread {
	return {
		thread_id: "t1",
		agent_name: "ada",
		title: "auth-refactor",
		provider: "codex",
		model: "gpt-5.5",
		cwd: "/home/ana/src/shop",
		machine_id: "m1",
		approval_policy: "on-request",
		sandbox: "workspace-write",
		status: "idle",
		archived: false,
		controller: null,
		active_turn_id: null,
		turn_count: 0,
		usage: null,
		created_at_ms: AT_MS,
		updated_at_ms: AT_MS,
		...part,
	};
}

export function makeTurn(part: Partial<Turn> = {}): Turn {
	return {
		turn_id: "u1",
		thread_id: "t1",
		status: "inProgress",
		reason: null,
		error: null,
		started_at_ms: AT_MS,
		completed_at_ms: null,
		items: [],
		...part,
	};
}

export function makeSnapshot(part: Partial<ChatSnapshot> = {}): ChatSnapshot {
	return { thread: makeThread(), turns: [], has_more: false, approvals: [], ...part };
}

export function userItem(id: string, text: string, clientId: string | null = null): Item {
	return { type: "userMessage", id, clientId, content: [{ type: "text", text }] };
}

export function agentItem(id: string, text: string): Item {
	return { type: "agentMessage", id, text, phase: null };
}

export function commandItem(id: string, part: Partial<CommandExecutionItem> = {}): CommandExecutionItem {
	return {
		type: "commandExecution",
		id,
		command: "rg -n SameSite src/",
		cwd: "/home/ana/src/shop",
		processId: null,
		source: "agent",
		status: "completed",
		commandActions: [],
		aggregatedOutput: "a\nb\nc\n",
		exitCode: 0,
		durationMs: 120,
		...part,
	};
}

export function patchItem(id: string, part: Partial<FileChangeItem> = {}): FileChangeItem {
	const diff = "@@ -12,1 +12,1 @@\n-  sameSite: 'none',\n+  sameSite: 'lax',\n";
	return {
		type: "fileChange",
		id,
		changes: [{ path: "src/session.ts", kind: { type: "update" }, diff }],
		status: "completed",
		...part,
	};
}

export function makeApproval(id: string, part: Partial<Approval> = {}): Approval {
	return {
		approval_id: id,
		thread_id: "t1",
		turn_id: "u1",
		item_id: `item-${id}`,
		agent_name: "ada",
		machine_id: "m1",
		kind: "command",
		command: `npm test -- ${id}`,
		argv: ["npm", "test", "--", id],
		cwd: "/home/ana/src/shop",
		changes: null,
		reason: null,
		sandbox: "workspace-write",
		destructive: null,
		confirm_word: null,
		digest: `digest-${id}`,
		status: "pending",
		resolved_by: null,
		resolved_reason: null,
		requested_at_ms: AT_MS,
		resolved_at_ms: null,
		...part,
	};
}

export function makeAgent(name: string, part: Partial<WeaveAgent> = {}): WeaveAgent {
	return {
		agent_id: `agent-${name}`,
		session_id: "s1",
		name,
		kind: "thread",
		thread_id: `thread-${name}`,
		connected: true,
		status: "idle",
		mailbox_length: 0,
		joined_at_ms: AT_MS,
		...part,
	};
}

export function makeMessage(part: Partial<WeaveMessage> = {}): WeaveMessage {
	return {
		message_id: "w1",
		session_id: "s1",
		from_agent_id: "person",
		from_name: "ana",
		to_agent_id: "agent-tester",
		to_name: "tester",
		kind: "user",
		text: "run the session tests",
		in_reply_to: null,
		state: "accepted",
		reason: null,
		answer: null,
		created_at_ms: AT_MS,
		updated_at_ms: AT_MS,
		...part,
	};
}

export function makeTerminal(name: string, part: Partial<Terminal> = {}): Terminal {
	return {
		terminal_id: `term-${name}`,
		name,
		argv: ["/bin/bash"],
		cwd: "/home/ana",
		cols: 80,
		rows: 24,
		machine_id: "m1",
		created_by: "ana",
		created_at_ms: AT_MS,
		status: "running",
		exit_code: null,
		signal: null,
		title: null,
		driver: null,
		watchers: 0,
		...part,
	};
}
