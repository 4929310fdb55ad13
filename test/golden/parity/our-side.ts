import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createDeferred } from "#base/deferred.ts";
import type { DaemonClient } from "#client/client.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { resolvePaths } from "#platform/paths.ts";
import { type ChatEvent, chatEventSchema } from "#protocol/chat-event.ts";
import type { Approval, ApprovalDecision, RunnerKind } from "#protocol/record.ts";
import { oracleBinary } from "#test/support/codex-oracle.ts";
import { type Conversation, type Decision, MODEL, type Side, type ThreadSettings } from "./side.ts";
import type { Trace } from "./trace.ts";

const DECISIONS: Readonly<Record<Decision, ApprovalDecision>> = {
	accept: "accept",
	acceptForSession: "accept_for_session",
	decline: "decline",
	cancel: "cancel",
};

function describeAsked({ kind, command, cwd, reason }: Approval): string {
	return kind === "patch" ? "asked" : `asked [${command}] in ${cwd}, ${JSON.stringify(reason)}`;
}

function tell(trace: Trace, event: ChatEvent): void {
	switch (event.type) {
		case "chat.turn.started":
			trace.turn("started");
			break;
		case "chat.turn.completed":
			trace.turn(event.turn.status, event.turn.error);
			break;
		case "chat.item.started":
			trace.started(event.item);
			break;
		case "chat.item.completed":
			trace.completed(event.item);
			break;
		case "chat.message.delta":
			trace.delta("message", event.item_id, event.delta);
			break;
		case "chat.reasoning.delta":
			trace.delta("reasoning", `${event.item_id}/${event.summary_index}`, event.delta);
			break;
		case "chat.command.output":
			trace.output(event.delta);
			break;
		case "chat.diff.updated":
			trace.diff(event.diff);
			break;
		case "chat.usage.updated":
			trace.usage(event.usage);
			break;
		case "chat.approval.required":
			trace.approval(event.approval.kind, describeAsked(event.approval));
			break;
		case "chat.approval.resolved":
			trace.approval(event.approval.kind, "resolved");
			break;
		case "chat.error":
			trace.error(event.error, event.will_retry);
			break;
		default:
	}
}

async function openThread(
	client: DaemonClient,
	env: Record<string, string>,
	settings: ThreadSettings,
): Promise<Conversation> {
	const { cwd, policy, sandbox, decisions, trace } = settings;
	const left = [...decisions];
	const { thread } = await client.call("chat.create", {
		cwd,
		env,
		model: MODEL,
		approval_policy: policy,
		sandbox,
	});
	const { thread_id } = thread;
	let turnId = "";

	function answer(event: ChatEvent): void {
		if (event.type !== "chat.approval.required") return;
		const decision = left.shift();
		if (decision === undefined) return;
		const { approval_id, digest } = event.approval;
		void client.call("chat.approval.respond", { approval_id, digest, decision: DECISIONS[decision] });
	}

	const subscribed = createDeferred<void>();
	const subscription = client.subscribe(`chats.activity:${thread_id}`, {
		onSnapshot: () => subscribed.resolve(),
		onEvent(payload) {
			const event = chatEventSchema.parse(payload);
			if (event.type === "chat.turn.started") turnId = event.turn_id;
			tell(trace, event);
			answer(event);
		},
	});
	await subscribed.promise;

	return {
		send: async (text) => void (await client.call("chat.message.send", { thread_id, text })),
		steer: async (text) =>
			void (await client.call("chat.steer", { thread_id, text, expected_turn_id: turnId })),
		interrupt: async () => void (await client.call("chat.cancel", { thread_id, keep_commands: true })),
		[Symbol.dispose]: () => subscription[Symbol.dispose](),
	};
}

/** Our daemon, from its sources, spoken to over its socket as any client does. `root` holds its homes. */
export async function startOurSide(root: string, backend: RunnerKind = "embedded"): Promise<Side> {
	const codexHome = join(root, "our-codex-home");
	// The real program refuses a Codex home below TMPDIR.
	const tmp = join(root, "our-tmp");
	await Promise.all([mkdir(codexHome, { recursive: true }), mkdir(tmp, { recursive: true })]);
	// As any client does, it tells what its own commands would find.
	const own = { PATH: process.env["PATH"] ?? "", HOME: root, LANG: "C.UTF-8", SHELL: "/bin/bash" };
	const homes = { HOMIE_HOME: join(root, "h"), WEAVE_HOME: join(root, "w"), CODEX_HOME: codexHome };
	const turns = { HOMIE_AGENT_BACKEND: backend, HOMIE_CODEX_BIN: oracleBinary() ?? "", TMPDIR: tmp };
	const env = { ...own, ...homes, ...turns };
	const child = spawn(process.execPath, ["daemon/entry.ts", "--no-web"], { env, stdio: "ignore" });
	const exited = once(child, "exit");
	const client = connectLocal(resolvePaths(env), { kind: "cli", name: "parity test", failFast: false });
	await Promise.race([
		client.ready(30_000),
		exited.then(([code]) => Promise.reject(new Error(`the daemon ended with ${String(code)}`))),
	]);
	return {
		codexHome,
		open: (settings) => openThread(client, own, settings),
		async [Symbol.asyncDispose]() {
			await client[Symbol.asyncDispose]();
			child.kill("SIGTERM");
			await exited;
		},
	};
}
