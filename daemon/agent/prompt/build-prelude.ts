import type { Clock } from "#base/clock.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { ApprovalPolicy, SandboxMode } from "#protocol/record.ts";
import { createDocumentFiles } from "./project-docs.ts";
import { estimateTokens, type PromptInput, type PromptMode, type PromptProfile } from "./section.ts";
import { PROMPT_PROFILES } from "./sections.ts";

/** Codex's own default for `project_doc_max_bytes`. */
export const PROJECT_DOC_MAX_BYTES = 32 * 1024;
/** Threads whose prelude is remembered; beyond, the one used longest ago is made anew at its next turn. */
const MAX_REMEMBERED = 256;

export interface RenderedSection {
	name: string;
	role: "developer" | "user";
	message: string;
	text: string;
	tokens: number;
}

/** The sections that have something to say, in order, with what each costs. */
export async function renderSections(profile: PromptProfile, input: PromptInput): Promise<RenderedSection[]> {
	const rendered: RenderedSection[] = [];
	for (const section of PROMPT_PROFILES[profile]) {
		const { name, role, message } = section;
		const text = await section.render(input);
		if (text !== null && text !== "")
			rendered.push({ name, role, message, text, tokens: estimateTokens(text) });
	}
	return rendered;
}

/** Input items ahead of the history; the same input gives the same bytes. */
export async function buildPrelude(profile: PromptProfile, input: PromptInput): Promise<ModelItem[]> {
	const messages: { key: string; role: string; parts: { type: "input_text"; text: string }[] }[] = [];
	for (const { message, role, text } of await renderSections(profile, input)) {
		const part = { type: "input_text" as const, text };
		const last = messages.at(-1);
		if (last?.key === message) last.parts.push(part);
		else messages.push({ key: message, role, parts: [part] });
	}
	return messages.map(({ role, parts }) => ({ type: "message", role, content: parts }));
}

export interface PreludeBuilderOptions {
	readonly codexHome: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Pick<Clock, "nowMs">;
	/** Where the threads' folders are. */
	readonly environment: Pick<Environment, "readText">;
	/** IANA name; the machine's when left out. */
	readonly timeZone?: string;
	/** From config.toml, read when a thread's prelude is made. */
	readonly settings?: () => { developerInstructions: string | null; projectDocMaxBytes: number | null };
}

export interface PreludeRequest {
	readonly threadId: string;
	readonly cwd: string;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	readonly mode?: PromptMode;
}

export type PreludeBuilder = (request: PreludeRequest) => Promise<readonly ModelItem[]>;

function dateIn(timeZone: string, nowMs: number): string {
	// Swedish dates are written as ISO 8601.
	return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(nowMs);
}

/**
 * Prelude of a thread, the same bytes at each of its turns: date and documents are those of its first turn in this
 * process, and only a change of folder, policy, sandbox or mode makes it anew.
 */
export function createPreludeBuilder(options: PreludeBuilderOptions): PreludeBuilder {
	const { codexHome, env, clock, settings } = options;
	const files = createDocumentFiles(options.environment);
	const timeZone = options.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
	const shell = (env["SHELL"] ?? "/bin/bash").split("/").at(-1) ?? "bash";
	const remembered = new Map<string, { key: string; items: Promise<ModelItem[]> }>();

	return (request) => {
		const { threadId, cwd, approvalPolicy, sandbox, mode = "full" } = request;
		const key = JSON.stringify([cwd, approvalPolicy, sandbox, mode]);
		const known = remembered.get(threadId);
		remembered.delete(threadId);
		if (known?.key === key) {
			remembered.set(threadId, known);
			return known.items;
		}
		const own = settings?.();
		const items = buildPrelude("codex", {
			mode,
			cwd,
			approvalPolicy,
			sandbox,
			codexHome,
			developerInstructions: own?.developerInstructions ?? null,
			projectDocMaxBytes: own?.projectDocMaxBytes ?? PROJECT_DOC_MAX_BYTES,
			shell,
			date: dateIn(timeZone, clock.nowMs()),
			timeZone,
			files,
		});
		remembered.set(threadId, { key, items });
		const oldest = remembered.keys().next();
		if (remembered.size > MAX_REMEMBERED && !oldest.done) remembered.delete(oldest.value);
		items.catch(() => remembered.delete(threadId));
		return items;
	};
}
