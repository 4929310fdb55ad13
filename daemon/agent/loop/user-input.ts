import type { SteerMessage } from "#daemon/agent/loop-port.ts";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { UserInput, UserMessageItem } from "#protocol/codex-item.ts";
import { contentParts, userItem } from "./history.ts";
import { tellRawItem } from "./raw-events.ts";
import { remember, type Turn } from "./turn.ts";

const textPart = (text: string): ModelItem => ({ type: "input_text", text });

/** Kinds of pictures that models take, by the bytes they begin with. */
const PICTURES: readonly { type: string; starts: readonly (number | null)[] }[] = [
	{ type: "image/png", starts: [0x89, 0x50, 0x4e, 0x47] },
	{ type: "image/jpeg", starts: [0xff, 0xd8, 0xff] },
	{ type: "image/gif", starts: [0x47, 0x49, 0x46, 0x38] },
	{
		type: "image/webp",
		starts: [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50],
	},
];

function pictureType(bytes: Uint8Array): string | null {
	const fits = (starts: readonly (number | null)[]): boolean =>
		starts.every((byte, index) => byte === null || bytes[index] === byte);
	return PICTURES.find(({ starts }) => fits(starts))?.type ?? null;
}

const picture = (url: string): ModelItem => ({ type: "input_image", image_url: url, detail: "original" });

/** Largest file that a message may bring along: what model servers take as one picture. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;

/** Through the turn's environment, as its tools read; undefined when it cannot be read. */
async function readFile(turn: Turn, path: string): Promise<Uint8Array | undefined> {
	const { environment } = turn.ports.toolContext(turn.input.turnId);
	return environment.readBytes?.(path, MAX_FILE_BYTES).catch(() => undefined);
}

async function localImage(turn: Turn, path: string, number: number): Promise<ModelItem[]> {
	const bytes = await readFile(turn, path);
	if (bytes === undefined) return [textPart(`The local image at \`${path}\` could not be read.`)];
	const type = pictureType(bytes);
	const shown =
		type === null
			? textPart("left out: this file is no picture of a kind that can be shown")
			: picture(`data:${type};base64,${Buffer.from(bytes).toString("base64")}`);
	return [textPart(`<image name=[Image #${number}] path="${path}">`), shown, textPart("</image>")];
}

async function messageParts(turn: Turn, content: readonly UserInput[]): Promise<ModelItem[]> {
	const parts: ModelItem[] = [];
	let images = 0;
	for (const part of content) {
		if (part.type === "text" && part.text !== undefined) parts.push(textPart(part.text));
		else if (part.type === "image" && typeof part["url"] === "string") {
			images += 1;
			parts.push(picture(part["url"]));
		} else if (part.type === "localImage" && typeof part["path"] === "string") {
			images += 1;
			parts.push(...(await localImage(turn, part["path"], images)));
		}
	}
	return parts;
}

interface SkillPlace {
	name: string;
	path: string;
}

/** Skills as the prompt lists them: `- NAME: DESCRIPTION (file: PATH)`. */
function listedSkills(prelude: readonly ModelItem[]): SkillPlace[] {
	return prelude
		.flatMap(contentParts)
		.filter(({ text }) => typeof text === "string" && text.startsWith("<skills_instructions>"))
		.flatMap(({ text }) => [...String(text).matchAll(/^- ([\w:-]+): .*\(file: (.+)\)$/gm)])
		.map(([, name = "", path = ""]) => ({ name, path }));
}

/** Skills that a message names: as a part of its own, or as `$name` in its text. */
function namedSkills(turn: Turn, content: readonly UserInput[]): SkillPlace[] {
	const named: SkillPlace[] = [];
	for (const part of content) {
		if (part.type === "skill" && typeof part["path"] === "string")
			named.push({ name: String(part["name"] ?? ""), path: part["path"] });
	}
	const words = content.flatMap((part) =>
		[...(part.text ?? "").matchAll(/\$([\w:-]+)/g)].map(([, word]) => word),
	);
	if (words.length > 0)
		named.push(...listedSkills(turn.input.prelude).filter(({ name }) => words.includes(name)));
	return named.filter((skill, index) => named.findIndex(({ path }) => path === skill.path) === index);
}

/** The text of each skill that the message names, a message of its own, so that the model need not read it first. */
async function tellSkills(turn: Turn, content: readonly UserInput[]): Promise<void> {
	for (const { name, path } of namedSkills(turn, content)) {
		const bytes = await readFile(turn, path);
		if (bytes === undefined) continue;
		const text = `<skill>\n<name>${name}</name>\n<path>${path}</path>\n${new TextDecoder().decode(bytes)}\n</skill>`;
		const item = userItem(text, `msg_${turn.ports.newId()}`);
		await remember(turn, [item]);
		await tellRawItem(turn, item, "ours");
	}
}

/** Items and history of messages that a person or another agent sent. */
export async function addMessages(turn: Turn, messages: readonly SteerMessage[]): Promise<void> {
	const { clock, emit, newId } = turn.ports;
	for (const message of messages) {
		const content = message.content ?? [{ type: "text", text: message.text, text_elements: [] }];
		const said = userItem(await messageParts(turn, content), `msg_${newId()}`);
		await tellRawItem(turn, said, "ours");
		const item: UserMessageItem = {
			type: "userMessage",
			id: message.itemId,
			clientId: message.clientId,
			content: [...content],
			startedAtMs: clock.nowMs(),
			completedAtMs: null,
		};
		await emit({ type: "item_started", item });
		await remember(turn, [said]);
		await emit({ type: "item_completed", item: { ...item, completedAtMs: clock.nowMs() } });
		await tellSkills(turn, content);
	}
}
