import type { RolloutFile, RolloutHead } from "#daemon/storage/repository/rollout-head.ts";
import { findBases } from "./base-lines.ts";
import { pathOf } from "./item-in.ts";
import { isContext } from "./item-steps.ts";
import { legacyItem } from "./legacy-item.ts";
import { type Json, listOf, objectOf, parseLine, type RolloutLine, textOf, textOrNull } from "./line.ts";
import { readLines } from "./line-reader.ts";
import { CAUTIOUS, type TurnContext, turnContextOf } from "./turn-context.ts";

/** A person's first words come soon; beyond this nobody looks for them. */
const MAX_LINES = 400;
const MAX_BYTES = 8 * 1024 * 1024;
const PREVIEW_MAX = 1_000;
const TITLE_MAX = 80;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

interface Found {
	meta: Json | null;
	context: TurnContext | null;
	/** What a person said first, as clients saw it. */
	words: string | null;
	/** The same as the model saw it, for files without events. */
	spoken: string | null;
}

const partsText = (value: Json): string =>
	listOf(value, "content")
		.map((part) => textOf(part, "text"))
		.filter((text) => text !== "")
		.join("\n");

function wordsOf(event: Json): string | null {
	const item = event["type"] === "item_completed" ? objectOf(event, "item") : legacyItem(event);
	if (item === null || !/^user_?message$/iu.test(textOf(item, "type"))) return null;
	// A picture alone is a message, too.
	return partsText(item) || "(picture)";
}

function note(found: Found, { type, payload }: RolloutLine): void {
	if (type === "session_meta") found.meta ??= payload;
	else if (type === "turn_context") found.context ??= turnContextOf(payload);
	else if (type === "event_msg") found.words ??= wordsOf(payload);
	else if (type === "response_item" && payload["type"] === "message" && payload["role"] === "user") {
		const text = partsText(payload);
		if (text !== "" && !isContext(text)) found.spoken ??= text;
	}
}

async function look(path: string): Promise<Found> {
	const found: Found = { meta: null, context: null, words: null, spoken: null };
	let lines = 0;
	for await (const { text, endBytes } of readLines(path)) {
		const line = text === null ? null : parseLine(text);
		if (line !== null) note(found, line);
		lines += 1;
		if (found.meta !== null && found.context !== null && found.words !== null) break;
		if (lines >= MAX_LINES || endBytes >= MAX_BYTES) break;
	}
	return found;
}

/** Where the thread was made; helpers of agents have an object there. */
function sourceOf(meta: Json): { source?: string; isHelper: boolean } {
	const source = meta["source"];
	if (typeof source === "string") return { source, isHelper: false };
	const isHelper = typeof source === "object" && source !== null && "subagent" in source;
	return isHelper ? { source: "subAgent", isHelper } : { isHelper };
}

function gitOf(meta: Json): Json | null {
	const git = objectOf(meta, "git");
	if (Object.keys(git).length === 0) return null;
	return {
		sha: textOrNull(git, "commit_hash"),
		branch: textOrNull(git, "branch"),
		originUrl: textOrNull(git, "repository_url"),
	};
}

/** A fork begins with what was said in the thread that it goes on from. */
async function hearBase(found: Found, path: string, codexHome: string): Promise<void> {
	if (found.meta === null || !("history_base" in found.meta)) return;
	const [first] = (await findBases(path, codexHome)).bases;
	if (first !== undefined) found.words = (await look(first.path)).words ?? found.words;
}

export type HeadResult = { head: RolloutHead } | { ignored: string };

interface HeadOptions {
	archived: boolean;
	names: ReadonlyMap<string, string>;
	codexHome: string;
	/** Helpers of agents count, too: a person asked for this file. */
	helpers?: boolean;
}

/** Why nothing is made of the file; null when something is. */
function refusal(found: Found, options: HeadOptions): string | null {
	if (found.meta === null) return "it does not begin as a rollout does";
	if (!UUID.test(textOf(found.meta, "id"))) return "its thread has no id that could be kept";
	if (sourceOf(found.meta).isHelper && options.helpers !== true) return "it belongs to a helper of an agent";
	if (found.words === null && found.spoken === null) return "nobody said anything in it";
	return null;
}

/** What is kept of it beside the columns. */
function settingsOf(path: string, meta: Json, context: TurnContext | null): RolloutHead["settings"] {
	const { source } = sourceOf(meta);
	const originator = textOrNull(meta, "originator");
	const forkedFrom = textOrNull(meta, "forked_from_id");
	const git = gitOf(meta);
	return {
		...context?.settings,
		rollout_path: path,
		...(source === undefined ? {} : { source }),
		...(originator === null ? {} : { originator }),
		...(forkedFrom === null ? {} : { forked_from: forkedFrom }),
		...(git === null ? {} : { git_info: git }),
	};
}

function titleOf(name: string | undefined, words: string): string | null {
	const first = words.split("\n")[0]?.slice(0, TITLE_MAX) ?? "";
	return name ?? (first === "" ? null : first);
}

function startOf(meta: Json, file: RolloutFile): number {
	const at = Date.parse(textOf(meta, "timestamp"));
	return Number.isNaN(at) ? file.mtime_ms : at;
}

/** What the start of a rollout says of its thread; only that much of the file is read. @throws errors of the file system. */
export async function readHead(file: RolloutFile, options: HeadOptions): Promise<HeadResult> {
	const found = await look(file.path);
	await hearBase(found, file.path, options.codexHome);
	const { meta, context } = found;
	const ignored = refusal(found, options);
	if (ignored !== null || meta === null) return { ignored: ignored ?? "" };
	const threadId = textOf(meta, "id").toLowerCase();
	const words = (found.words ?? found.spoken ?? "").trim();
	const name = options.names.get(threadId);
	const cwd = context?.cwd ?? pathOf(textOf(meta, "cwd"));
	return {
		head: {
			...{ thread_id: threadId, title: titleOf(name, words), named: name !== undefined },
			cwd: cwd.startsWith("/") ? cwd : "/",
			preview: words.slice(0, PREVIEW_MAX),
			provider: textOrNull(meta, "model_provider"),
			model: context?.model ?? null,
			approval_policy: context?.approval_policy ?? CAUTIOUS.approval_policy,
			sandbox: context?.sandbox ?? CAUTIOUS.sandbox,
			settings: settingsOf(file.path, meta, context),
			archived: options.archived,
			created_at_ms: startOf(meta, file),
			updated_at_ms: file.mtime_ms,
		},
	};
}
