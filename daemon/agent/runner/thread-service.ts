import {
	archiveThreadWrite,
	createThreadWrite,
	renameThreadWrite,
	resumeThreadWrite,
	type StoredThread,
	updateSettingsWrite,
} from "#daemon/storage/repository/chat-thread.ts";
import type { WriteCommand } from "#daemon/storage/store.ts";
import type { Thread } from "#protocol/record.ts";
import type { MethodParams } from "#protocol/service/index.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import type { CodexRunner, RunnerCall } from "./runner.ts";
import { allowedEnv, codexHomeOf } from "./thread-env.ts";
import { assertFolder, findGitFolder } from "./thread-folder.ts";
import { presentThread } from "./thread-record.ts";

interface ThreadServicePorts {
	deps: RunnerDeps;
	broadcast: Broadcast;
	assertOpen(): void;
}

type ThreadService = Pick<
	CodexRunner,
	"createThread" | "updateSettings" | "archiveThread" | "renameThread" | "resumeThread"
>;

/** Changes of threads; each is committed, then told. */
export function createThreadService({ deps, broadcast, assertOpen }: ThreadServicePorts): ThreadService {
	const { store, environment } = deps;

	async function change<Args>(
		command: WriteCommand<Args, { thread: StoredThread }>,
		args: Args,
		call: RunnerCall,
	): Promise<{ thread: Thread }> {
		assertOpen();
		const { thread } = await store.write(command, args, { idempotency: call.idempotency });
		broadcast.thread(thread.thread_id);
		return { thread: presentThread(deps.providers, thread) };
	}

	async function createThread(
		params: MethodParams<"chat.create">,
		call: RunnerCall,
	): Promise<{ thread: Thread }> {
		await assertFolder(params.cwd);
		const provider = await deps.providers.resolve(params.provider ?? null, params.model ?? null);
		const inGit = (await findGitFolder(environment.readText, params.cwd)) !== null;
		const own = deps.providers.defaults();
		const env = params.env ?? {};
		return change(
			createThreadWrite,
			{
				thread_id: deps.newId(),
				agent_name: params.agent_name === undefined || params.agent_name === "" ? null : params.agent_name,
				title: params.title ?? null,
				provider: params.provider ?? null,
				// Who follows the default follows its model too.
				model: params.model ?? (params.provider === undefined ? null : provider.defaultModel),
				cwd: params.cwd,
				machine_id: environment.machineId,
				approval_policy: params.approval_policy ?? own.approvalPolicy ?? "on-request",
				sandbox: params.sandbox ?? own.sandbox ?? (inGit ? "workspace-write" : "read-only"),
				env: allowedEnv(env),
				codex_home: codexHomeOf(env),
				controller: { client: call.label, device: "local" },
			},
			call,
		);
	}

	return {
		createThread,
		updateSettings: (params, call) => change(updateSettingsWrite, params, call),
		archiveThread: (threadId, call) => change(archiveThreadWrite, { thread_id: threadId }, call),
		renameThread: (params, call) => change(renameThreadWrite, params, call),
		resumeThread: (threadId, call) => change(resumeThreadWrite, { thread_id: threadId }, call),
	};
}
