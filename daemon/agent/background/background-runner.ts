import type { Clock } from "#base/clock.ts";
import { createDeferred } from "#base/deferred.ts";
import type { NewId } from "#base/id.ts";
import type { ModelItem, ModelProvider, ModelRequest } from "#daemon/agent/model.ts";
import type { Logger } from "#daemon/telemetry/port.ts";

/** Characters to a token, for the bound on what a job may say. */
const CHARS_PER_TOKEN = 4;
/** Of the input; its start and its end say most. */
const MAX_INPUT_CHARS = 12_000;
/** Jobs that wait; beyond it the oldest is dropped, as the newest is of more use. */
const MAX_WAITING = 16;

export interface BackgroundTask {
	/** For the log: `title`, `commit_message`, `summary`. */
	readonly purpose: string;
	readonly instructions: string;
	readonly input: string;
	/** JSON Schema that the answer must follow. */
	readonly outputSchema?: Readonly<Record<string, unknown>>;
	readonly maxTokens: number;
	readonly timeoutMs: number;
	/** Whose provider and model it is for; the settings for background work win. */
	readonly provider?: string | null;
	readonly cwd?: string;
}

/** Runs small jobs, one at a time. Disposing ends them all. */
export interface BackgroundRunner extends Disposable {
	/** The model's text; null when there is none, whatever the reason. Never rejects. */
	run(task: BackgroundTask): Promise<string | null>;
}

export interface BackgroundOptions {
	/** With the budget around it. @throws AppError CONFIG_INVALID. */
	readonly resolve: (provider: string | null, model: string | null) => ModelProvider | Promise<ModelProvider>;
	/** What config.json says; null: none of its own. */
	readonly settings: () => { provider: string | null; model: string | null };
	readonly clock: Clock;
	readonly newId: NewId;
	readonly logger: Logger;
}

/** Names that providers give to their small models. */
const SMALL = /(^|[-_.:/])(mini|haiku|nano|flash|small|lite|tiny)($|[-_.:/\d])/i;

/** A cheap model of the provider; its default where none looks cheap. */
export function smallModelOf(provider: ModelProvider): string | null {
	return provider.listModels().find((id) => SMALL.test(id)) ?? provider.defaultModel;
}

function cut(text: string): string {
	if (text.length <= MAX_INPUT_CHARS) return text;
	const half = MAX_INPUT_CHARS / 2;
	return `${text.slice(0, half)}\n[...]\n${text.slice(-half)}`;
}

function message(role: string, text: string): ModelItem {
	return { type: "message", role, content: [{ type: "input_text", text }] };
}

type Outcome = { text: string } | { why: string };

async function collect(
	provider: ModelProvider,
	request: ModelRequest,
	signal: AbortSignal,
	maxChars: number,
): Promise<Outcome> {
	let text = "";
	for await (const event of provider.stream(request, signal)) {
		if (event.type === "text_delta") text += event.delta;
		if (event.type === "failed") return { why: event.failure.message };
		if (event.type === "completed" || text.length >= maxChars) break;
	}
	if (signal.aborted) return { why: "no answer in time" };
	return text.trim() === "" ? { why: "no text" } : { text: text.trim().slice(0, maxChars) };
}

export function createBackgroundRunner(options: BackgroundOptions): BackgroundRunner {
	const { clock, newId, logger } = options;
	const stop = new AbortController();
	const waiting: { task: BackgroundTask; done: (text: string | null) => void }[] = [];
	let isRunning = false;

	async function ask(task: BackgroundTask, signal: AbortSignal): Promise<Outcome> {
		const own = options.settings();
		const provider = await options.resolve(own.provider ?? task.provider ?? null, own.model);
		// The offline agent writes no prose about what it is shown.
		if (provider.name === "offline") return { why: "no model" };
		const model = own.model ?? smallModelOf(provider);
		const request: ModelRequest = {
			threadId: "background",
			turnId: newId(),
			model,
			cwd: task.cwd ?? "/",
			input: [message("developer", task.instructions), message("user", cut(task.input))],
			tools: [],
			kind: "background",
			options: {
				...(provider.describe(model).defaultEffort === null ? {} : { effort: "low" }),
				...(task.outputSchema === undefined ? {} : { outputSchema: task.outputSchema }),
			},
		};
		return collect(provider, request, signal, task.maxTokens * CHARS_PER_TOKEN);
	}

	async function attempt(task: BackgroundTask): Promise<string | null> {
		const timeout = new AbortController();
		using _timer = clock.after(task.timeoutMs, () => timeout.abort());
		const signal = AbortSignal.any([stop.signal, timeout.signal]);
		const aborted = createDeferred<Outcome>();
		const onAbort = (): void => aborted.resolve({ why: "no answer in time" });
		signal.addEventListener("abort", onAbort, { once: true });
		try {
			// A provider that does not hear the abort must not hold up the next job.
			const outcome = await Promise.race([ask(task, signal), aborted.promise]);
			if ("text" in outcome) return outcome.text;
			logger.debug("a background job brought nothing", { purpose: task.purpose, why: outcome.why });
		} catch (error) {
			logger.debug("a background job failed", { purpose: task.purpose, why: String(error) });
		} finally {
			signal.removeEventListener("abort", onAbort);
		}
		return null;
	}

	async function work(): Promise<void> {
		if (isRunning) return;
		isRunning = true;
		for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
			next.done(stop.signal.aborted ? null : await attempt(next.task));
		}
		isRunning = false;
	}
	return {
		run(task) {
			return new Promise((done) => {
				if (stop.signal.aborted) {
					done(null);
					return;
				}
				waiting.push({ task, done });
				if (waiting.length > MAX_WAITING) waiting.shift()?.done(null);
				void work();
			});
		},
		[Symbol.dispose]: () => stop.abort(),
	};
}
