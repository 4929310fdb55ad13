import type { TurnInput } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { ToolContext } from "#daemon/agent/tool.ts";
import type { TokenCounts } from "#protocol/codex-item.ts";
import type { CodexProcess } from "./codex-process.ts";
import { isOwnContext, markOf, tailAfter } from "./told-history.ts";

/** What a thread of the program is opened with beside the turn. */
export interface Place {
	readonly context: ToolContext;
	/** Id in config.toml. */
	readonly modelProvider: string;
}

/** The program's thread for one of ours; made from our history when the program, or what the thread is opened with, is new. */
export interface ProviderThreadBook {
	open(
		server: { process: CodexProcess; generation: number },
		input: TurnInput,
		place: Place,
	): Promise<ProviderThread>;
	/** A turn has ended, and `history` is what both sides know now. */
	settle(threadId: string, history: readonly ModelItem[]): void;
}

export interface ProviderThread {
	readonly id: string;
	/** What our thread had cost when the program's was made, which counts from nothing. */
	readonly usageBefore: TokenCounts | null;
}

interface Loaded extends ProviderThread {
	readonly generation: number;
	/** What it was opened with; a change of these needs a new one. */
	readonly params: string;
	/** How much of our history it knows. */
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
		dynamicTools: settings.dynamic_tools,
	});
}

async function inject(process: CodexProcess, threadId: string, history: readonly ModelItem[]) {
	const items = history.filter((item) => !isOwnContext(item));
	if (items.length > 0) await process.request("thread/inject_items", { threadId, items });
}

/**
 * `onMade` hears the program's id of a thread. One that the program kept from an earlier run is not taken up again: it tells its
 * raw history to nobody then, and ours is the truth.
 */
export function createProviderThreadBook(
	onMade: (threadId: string, providerThreadId: string) => Promise<void>,
): ProviderThreadBook {
	/** Threads that the program has loaded, by our id. */
	const loaded = new Map<string, Loaded>();

	/** The loaded thread, told what happened outside of it; false when it cannot go on from where it is. */
	async function goOn(process: CodexProcess, held: Loaded, history: readonly ModelItem[]): Promise<boolean> {
		const tail = tailAfter(history, held.mark);
		if (tail === null) return false;
		await inject(process, held.id, tail);
		held.mark = markOf(history);
		return true;
	}

	return {
		async open({ process, generation }, input, place) {
			const lasting = lastingParams(place);
			const params = JSON.stringify(lasting);
			const held = loaded.get(input.threadId);
			const isSame = held?.generation === generation && held.params === params;
			if (isSame && (await goOn(process, held, input.history))) return held;
			const started = await process.request("thread/start", {
				...lasting,
				cwd: input.cwd,
				model: input.model,
				approvalPolicy: place.context.approvalPolicy,
				ephemeral: place.context.settings?.ephemeral === true,
				experimentalRawEvents: true,
			});
			const id = idOf(started);
			await inject(process, id, input.history);
			const usageBefore = input.usageBefore?.total ?? null;
			const made = { id, usageBefore, generation, params, mark: markOf(input.history) };
			loaded.set(input.threadId, made);
			await onMade(input.threadId, id);
			return made;
		},
		settle(threadId, history) {
			const held = loaded.get(threadId);
			if (held !== undefined) held.mark = markOf(history);
		},
	};
}
