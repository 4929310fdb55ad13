import type { Clock } from "#base/clock.ts";
import type { Environment } from "#daemon/agent/environment.ts";
import type { ModelDescription, ModelItem } from "#daemon/agent/model.ts";
import { readTimeZone } from "#platform/time-zone.ts";
import type { ApprovalPolicy, SandboxMode, ThreadSettings, TurnKind } from "#protocol/record.ts";
import { createDocumentFiles, folderChain, projectDocsText } from "./project-docs.ts";
import { estimateTokens, type PromptInput, type PromptMode, type PromptProfile } from "./section.ts";
import { PROMPT_PROFILES } from "./sections.ts";
import { findSkills, listLocalFolders, skillsText } from "./skills.ts";

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
export function renderSections(profile: PromptProfile, input: PromptInput): RenderedSection[] {
	return PROMPT_PROFILES[profile].flatMap(({ name, role, message, render }) => {
		const text = render(input);
		return text === null || text === "" ? [] : [{ name, role, message, text, tokens: estimateTokens(text) }];
	});
}

/** Input items that say what holds for a turn; the same input gives the same bytes. */
export function buildPrelude(profile: PromptProfile, input: PromptInput): ModelItem[] {
	const messages: { key: string; role: string; parts: { type: "input_text"; text: string }[] }[] = [];
	for (const { message, role, text } of renderSections(profile, input)) {
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
	/** Names of the folders in a folder, for skills; this machine's when left out. */
	readonly listFolders?: (path: string) => Promise<readonly string[]>;
	/** From config.toml, read when a thread's prelude is made. */
	readonly settings?: () => { developerInstructions: string | null; projectDocMaxBytes: number | null };
}

export interface PreludeRequest {
	readonly threadId: string;
	readonly cwd: string;
	readonly approvalPolicy: ApprovalPolicy;
	readonly sandbox: SandboxMode;
	readonly mode?: PromptMode;
	readonly settings?: ThreadSettings;
	readonly model?: ModelDescription;
	readonly kind?: TurnKind;
}

export type PreludeBuilder = (request: PreludeRequest) => Promise<readonly ModelItem[]>;

/** The day in a zone as `YYYY-MM-DD`; in the process's own without Intl's tables. */
function dateIn(timeZone: string | undefined, nowMs: number): string {
	// Swedish dates are written as ISO 8601.
	if (timeZone !== undefined)
		return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(nowMs);
	const now = new Date(nowMs);
	const two = (value: number): string => String(value).padStart(2, "0");
	return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** What is read once for a thread in a folder. */
interface Documents {
	docs: string | null;
	skills: string | null;
	developerInstructions: string | null;
}

/**
 * What holds for a thread's next turn, as input items. Documents, skills and config.toml are read when this process first
 * meets the thread in that folder and stay so; the rest follows the thread's settings and the day. The loop tells the model
 * only what is new to it, so a change here never changes what was sent before.
 */
export function createPreludeBuilder(options: PreludeBuilderOptions): PreludeBuilder {
	const { codexHome, env, clock, settings } = options;
	const files = createDocumentFiles(options.environment);
	const listFolders = options.listFolders ?? listLocalFolders;
	const timeZone = options.timeZone ?? readTimeZone(env);
	const shell = (env["SHELL"] ?? "/bin/bash").split("/").at(-1) ?? "bash";
	const remembered = new Map<string, { cwd: string; documents: Promise<Documents> }>();

	async function read(cwd: string): Promise<Documents> {
		const own = settings?.();
		const maxBytes = own?.projectDocMaxBytes ?? PROJECT_DOC_MAX_BYTES;
		const folders = await folderChain(cwd, files);
		const [docs, skills] = await Promise.all([
			projectDocsText({ cwd, codexHome, maxBytes, files }),
			findSkills({ codexHome, folders }, { readText: files.readText, listFolders }),
		]);
		return { docs, skills: skillsText(skills), developerInstructions: own?.developerInstructions ?? null };
	}

	function documentsOf(threadId: string, cwd: string): Promise<Documents> {
		const known = remembered.get(threadId);
		remembered.delete(threadId);
		const entry = known?.cwd === cwd ? known : { cwd, documents: read(cwd) };
		remembered.set(threadId, entry);
		const oldest = remembered.keys().next();
		if (remembered.size > MAX_REMEMBERED && !oldest.done) remembered.delete(oldest.value);
		entry.documents.catch(() => remembered.delete(threadId));
		return entry.documents;
	}

	return async (request) => {
		const { threadId, cwd, approvalPolicy, sandbox } = request;
		const { docs, skills, developerInstructions } = await documentsOf(threadId, cwd);
		return buildPrelude("codex", {
			mode: request.mode ?? "full",
			kind: request.kind ?? "regular",
			cwd,
			approvalPolicy,
			sandbox,
			settings: request.settings ?? null,
			model: request.model ?? null,
			developerInstructions,
			projectDocs: docs,
			skills,
			shell,
			date: dateIn(options.timeZone, clock.nowMs()),
			timeZone,
		});
	};
}
