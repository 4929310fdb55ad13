import type { TurnInput } from "#daemon/agent/loop-port.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import { type CodexProcess, CodexRefusal } from "./codex-process.ts";

/** Where the id of the program's own thread is kept (`settings.provider_thread_id`). */
export interface ProviderThreads {
	read(threadId: string): string | null;
	save(threadId: string, providerThreadId: string): Promise<void>;
}

/** The program's thread for one of ours; it is made, resumed or rebuilt from our history as needed. */
export interface ProviderThreadBook {
	open(
		server: { process: CodexProcess; generation: number },
		input: TurnInput,
		context: ToolContext,
	): Promise<string>;
	/** Our thread of one of the program's. */
	ownerOf(providerThreadId: string): string | undefined;
}

function idOf(result: unknown): string {
	const thread = (result as { thread?: { id?: unknown } } | null)?.thread;
	if (typeof thread?.id !== "string") throw new Error("the codex program answered without a thread id");
	return thread.id;
}

/** What our thread's settings say, in the program's own members. */
function threadParams(input: TurnInput, context: ToolContext): Record<string, unknown> {
	const settings = context.settings ?? {};
	return {
		cwd: input.cwd,
		model: input.model,
		approvalPolicy: context.approvalPolicy,
		sandbox: context.sandbox,
		...(settings.base_instructions === undefined ? {} : { baseInstructions: settings.base_instructions }),
		...(settings.developer_instructions === undefined
			? {}
			: { developerInstructions: settings.developer_instructions }),
		...(settings.personality === undefined ? {} : { personality: settings.personality }),
		...(settings.service_tier === undefined ? {} : { serviceTier: settings.service_tier }),
		...(settings.config === undefined ? {} : { config: settings.config }),
	};
}

export function createProviderThreadBook(threads: ProviderThreads): ProviderThreadBook {
	/** Threads that the running program has loaded, by our id. */
	const loaded = new Map<string, { generation: number; providerThreadId: string }>();
	const owners = new Map<string, string>();

	async function resume(process: CodexProcess, known: string, params: object): Promise<string | null> {
		try {
			return idOf(await process.request("thread/resume", { ...params, threadId: known, excludeTurns: true }));
		} catch (error) {
			// It lost its rollout; ours is the truth, so the thread is built anew.
			if (error instanceof CodexRefusal) return null;
			throw error;
		}
	}

	async function make(process: CodexProcess, input: TurnInput, context: ToolContext): Promise<string> {
		const dynamicTools = context.settings?.dynamic_tools;
		const started = await process.request("thread/start", {
			...threadParams(input, context),
			...(dynamicTools === undefined ? {} : { dynamicTools }),
			ephemeral: context.settings?.ephemeral === true,
			experimentalRawEvents: true,
		});
		const providerThreadId = idOf(started);
		if (input.history.length > 0)
			await process.request("thread/inject_items", { threadId: providerThreadId, items: input.history });
		return providerThreadId;
	}

	return {
		async open({ process, generation }, input, context) {
			const known = threads.read(input.threadId);
			const held = loaded.get(input.threadId);
			if (held !== undefined && held.generation === generation && held.providerThreadId === known)
				return held.providerThreadId;
			const resumed = known === null ? null : await resume(process, known, threadParams(input, context));
			const providerThreadId = resumed ?? (await make(process, input, context));
			if (providerThreadId !== known) await threads.save(input.threadId, providerThreadId);
			loaded.set(input.threadId, { generation, providerThreadId });
			owners.set(providerThreadId, input.threadId);
			return providerThreadId;
		},
		ownerOf: (providerThreadId) => owners.get(providerThreadId),
	};
}
