import { AppError } from "#base/app-error.ts";
import {
	archiveThreadWrite,
	createThreadWrite,
	mergeSettings,
	renameThreadWrite,
	resumeThreadWrite,
	type StoredThread,
	suggestTitleWrite,
	updateSettingsWrite,
} from "#daemon/storage/repository/chat-thread.ts";
import type { WriteCommand } from "#daemon/storage/store.ts";
import type { SandboxMode, Thread } from "#protocol/record.ts";
import type { Broadcast } from "./broadcast.ts";
import type { RunnerDeps } from "./deps.ts";
import type { CodexRunner, CodexThreads, RunnerCall, ThreadPatch } from "./runner.ts";
import { allowedEnv, codexHomeOf } from "./thread-env.ts";
import { assertFolder, findGitFolder } from "./thread-folder.ts";
import type { ThreadPresenter } from "./thread-record.ts";

interface ThreadServicePorts {
	deps: RunnerDeps;
	broadcast: Broadcast;
	presenter: ThreadPresenter;
	assertOpen(): void;
}

type ThreadService = Pick<
	CodexRunner,
	| "createThread"
	| "startThread"
	| "patchThread"
	| "updateSettings"
	| "archiveThread"
	| "renameThread"
	| "suggestTitle"
	| "resumeThread"
>;

type StartParams = Parameters<CodexThreads["startThread"]>[0] & { agent_name?: string | undefined };

/** Changes of threads; each is committed, then told. */
export function createThreadService(ports: ThreadServicePorts): ThreadService {
	const { deps, broadcast, presenter, assertOpen } = ports;
	const { store, environment } = deps;

	async function change<Args>(
		command: WriteCommand<Args, { thread: StoredThread }>,
		args: Args,
		call: RunnerCall,
	): Promise<{ thread: Thread }> {
		assertOpen();
		const { thread } = await store.write(command, args, { idempotency: call.idempotency });
		broadcast.thread(thread.thread_id);
		return { thread: presenter.one(thread) };
	}

	/** Who follows the default provider follows its model too, unless it names one. */
	async function modelOf(provider: string | null, model: string | null): Promise<string | null> {
		const found = await deps.providers.resolve(provider, model);
		return model ?? (provider === null ? null : found.defaultModel);
	}

	/** What config.toml says of workspace-write goes with the thread, as it is when the mode is chosen. */
	function withPolicy<Settings extends NonNullable<ThreadPatch["settings"]>>(
		settings: Settings,
		sandbox: SandboxMode | undefined,
	): Settings {
		const own = deps.providers.defaults().workspaceWrite ?? null;
		if (sandbox !== "workspace-write" || own === null || settings.sandbox_policy) return settings;
		return { ...settings, sandbox_policy: own };
	}

	async function startThread(params: StartParams, call: RunnerCall): Promise<{ thread: Thread }> {
		assertOpen();
		await assertFolder(params.cwd);
		const provider = params.provider ?? null;
		const model = await modelOf(provider, params.model ?? null);
		const inGit = (await findGitFolder(environment.readText, params.cwd)) !== null;
		const own = deps.providers.defaults();
		const env = params.env ?? {};
		const sandbox = params.sandbox ?? own.sandbox ?? (inGit ? "workspace-write" : "read-only");
		const settings = withPolicy(mergeSettings({}, params.settings), sandbox);
		if (params.settings?.ephemeral === true) settings.ephemeral = true;
		return change(
			createThreadWrite,
			{
				thread_id: deps.newId(),
				agent_name: params.agent_name === undefined || params.agent_name === "" ? null : params.agent_name,
				title: params.title ?? null,
				provider,
				model,
				cwd: params.cwd,
				machine_id: environment.machineId,
				approval_policy: params.approval_policy ?? own.approvalPolicy ?? "on-request",
				sandbox,
				env: allowedEnv(env),
				codex_home: codexHomeOf(env),
				controller: { client: call.label, device: "local" },
				settings,
			},
			call,
		);
	}

	return {
		createThread: (params, call) => {
			const { env, runner, ...rest } = params;
			const more = {
				...(env === undefined ? {} : { env }),
				...(runner === undefined ? {} : { settings: { runner } }),
			};
			return startThread({ ...rest, ...more }, call);
		},
		startThread,
		async patchThread({ thread_id, patch }, call) {
			if (patch.cwd !== undefined) await assertFolder(patch.cwd);
			if (patch.settings?.ephemeral != null)
				throw new AppError("INVALID_PARAMS", "Whether a thread is ephemeral is decided when it is made.");
			const settings =
				patch.sandbox === undefined ? patch.settings : withPolicy(patch.settings ?? {}, patch.sandbox);
			return change(updateSettingsWrite, { thread_id, ...patch, settings }, call);
		},
		updateSettings: ({ effort, runner, mode, ...params }, call) => {
			const settings = {
				...{ effort, runner },
				...(mode === undefined ? {} : { collaboration_mode: { mode, settings: {} } }),
			};
			return change(updateSettingsWrite, { ...params, settings }, call);
		},
		archiveThread: (threadId, call) => change(archiveThreadWrite, { thread_id: threadId }, call),
		suggestTitle: (params, call) => change(suggestTitleWrite, params, call),
		renameThread: (params, call) => change(renameThreadWrite, params, call),
		resumeThread: (threadId, call) => change(resumeThreadWrite, { thread_id: threadId }, call),
	};
}
