import type { TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import { type CodexProcess, CodexRefusal } from "./codex-process.ts";
import { isOwnContext, markOf, tailAfter } from "./told-history.ts";

/** What is kept of the program's own thread. */
export interface ProviderThread {
	/** Its id there (`settings.provider_thread_id`). */
	readonly id: string;
	/** How much of our history it knew at the end of its last turn (`settings.provider_mark`). */
	readonly mark: string;
}

export interface ProviderThreads {
	read(threadId: string): ProviderThread | null;
	save(threadId: string, thread: ProviderThread): Promise<void>;
}

/** What a thread of the program is opened with beside the turn. */
export interface Place {
	readonly context: ToolContext;
	/** Id in config.toml. */
	readonly modelProvider: string;
}

/** The program's thread for one of ours; it is made, resumed or rebuilt from our history as needed. */
export interface ProviderThreadBook {
	open(
		server: { process: CodexProcess; generation: number },
		input: TurnInput,
		place: Place,
	): Promise<string>;
	/** A turn has ended, and `history` is what both sides know now. */
	settle(threadId: string, history: readonly ModelItem[]): Promise<void>;
}

interface Loaded {
	readonly generation: number;
	readonly id: string;
	/** What it was opened with; a change of these needs a new one. */
	readonly params: string;
	mark: string;
}

function idOf(result: unknown): string {
	const thread = (result as { thread?: { id?: unknown } } | null)?.thread;
	if (typeof thread?.id !== "string") throw new Error("the codex program answered without a thread id");
	return thread.id;
}

function given(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Commands find what the thread's creator would, whatever the daemon was started with. */
function configOf({ env, settings }: ToolContext): Record<string, unknown> {
	const variables = Object.entries(env).filter(([name]) => /^\w+$/.test(name));
	return {
		...Object.fromEntries(variables.map(([name, value]) => [`shell_environment_policy.set.${name}`, value])),
		...settings?.config,
	};
}

/** What holds for the program's thread as long as it lives; what a turn can change by itself is not here. */
function lastingParams({ context, modelProvider }: Place): Record<string, unknown> {
	const { settings = {}, sandbox } = context;
	return given({
		modelProvider,
		sandbox,
		baseInstructions: settings.base_instructions,
		developerInstructions: settings.developer_instructions,
		personality: settings.personality,
		serviceTier: settings.service_tier,
		config: configOf(context),
	});
}

export function createProviderThreadBook(threads: ProviderThreads): ProviderThreadBook {
	/** Threads that the running program has loaded, by our id. */
	const loaded = new Map<string, Loaded>();

	/** Null: the program lost it, or what it knows is not what we know; ours is the truth. */
	async function resume(
		process: CodexProcess,
		input: TurnInput,
		params: Readonly<Record<string, unknown>>,
	): Promise<ProviderThread | null> {
		const known = threads.read(input.threadId);
		// A turn that was cut short may be known to it by half.
		if (known === null || tailAfter(input.history, known.mark)?.length !== 0) return null;
		try {
			const resumed = await process.request("thread/resume", {
				...params,
				threadId: known.id,
				excludeTurns: true,
			});
			return { ...known, id: idOf(resumed) };
		} catch (error) {
			if (error instanceof CodexRefusal) return null;
			throw error;
		}
	}

	async function make(
		process: CodexProcess,
		input: TurnInput,
		params: Readonly<Record<string, unknown>>,
	): Promise<ProviderThread> {
		const started = await process.request("thread/start", { ...params, experimentalRawEvents: true });
		const id = idOf(started);
		await inject(process, id, input.history);
		return { id, mark: markOf(input.history) };
	}

	async function inject(process: CodexProcess, threadId: string, history: readonly ModelItem[]) {
		const items = history.filter((item) => !isOwnContext(item));
		if (items.length > 0) await process.request("thread/inject_items", { threadId, items });
	}

	/** The loaded thread, told what happened outside of it; null when it cannot go on from where it is. */
	async function goOn(process: CodexProcess, held: Loaded, input: TurnInput): Promise<string | null> {
		const tail = tailAfter(input.history, held.mark);
		if (tail === null) return null;
		await inject(process, held.id, tail);
		held.mark = markOf(input.history);
		return held.id;
	}

	return {
		async open({ process, generation }, input, place) {
			const lasting = lastingParams(place);
			const { dynamic_tools: dynamicTools, ephemeral } = place.context.settings ?? {};
			const more = given({ dynamicTools, ephemeral: ephemeral === true });
			const params = JSON.stringify([lasting, more]);
			const held = loaded.get(input.threadId);
			if (held?.generation === generation && held.params === params) {
				const id = await goOn(process, held, input);
				if (id !== null) return id;
			}
			const { cwd, model } = input;
			const all = { ...lasting, cwd, model, approvalPolicy: place.context.approvalPolicy };
			// One that is loaded keeps what it was opened with, so it is not resumed with other members.
			const resumed = held?.generation === generation ? null : await resume(process, input, all);
			const thread = resumed ?? (await make(process, input, { ...all, ...more }));
			loaded.set(input.threadId, { ...thread, generation, params });
			return thread.id;
		},
		async settle(threadId, history) {
			const held = loaded.get(threadId);
			if (held === undefined) return;
			held.mark = markOf(history);
			await threads.save(threadId, { id: held.id, mark: held.mark });
		},
	};
}
