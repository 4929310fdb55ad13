import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ModelItem } from "#daemon/agent/model.ts";
import type { UserInput } from "#protocol/codex-item.ts";
import { createBench } from "./fixture.ts";

let folder = "";
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "weave-input-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2]);
const URL = `data:image/png;base64,${PNG.toString("base64")}`;

async function sent(
	content: UserInput[],
	prelude: readonly ModelItem[] = [],
): Promise<{ items: ModelItem[]; shown: unknown }> {
	await using bench = await createBench([{ items: [{ type: "text", text: "ok" }] }]);
	await bench.run("", { input: { messages: [{ clientId: null, text: "", itemId: "u", content }], prelude } });
	const event = bench.events.find((each) => each.type === "item_started");
	return { items: bench.inputOf(0), shown: event?.type === "item_started" ? event.item : null };
}

test("input: pictures go to the model between their marks, in the order of the parts", async () => {
	const path = join(folder, "p.png");
	writeFileSync(path, PNG);
	const content = [
		{ type: "text", text: "look", text_elements: [] },
		{ type: "image", url: URL },
		{ type: "localImage", path },
		{ type: "mention", name: "x", path: "/x" },
		{ type: "text", text: "and this" },
	];
	const { items, shown } = await sent(content);
	expect(items.at(-1)?.["content"]).toEqual([
		{ type: "input_text", text: "look" },
		{ type: "input_image", image_url: URL, detail: "original" },
		{ type: "input_text", text: `<image name=[Image #2] path="${path}">` },
		{ type: "input_image", image_url: URL, detail: "original" },
		{ type: "input_text", text: "</image>" },
		{ type: "input_text", text: "and this" },
	]);
	expect(shown).toMatchObject({ content });
});

test("input: a picture that is missing, or is none, is said to be so", async () => {
	const path = join(folder, "p.png");
	writeFileSync(path, "text");
	const gone = join(folder, "gone.png");
	const { items } = await sent([
		{ type: "localImage", path: gone },
		{ type: "localImage", path },
	]);
	const texts = ((items.at(-1)?.["content"] ?? []) as { text: string }[]).map((part) => part.text);
	expect(texts[0]).toContain(gone);
	expect(texts[1]).toContain("[Image #2]");
	expect(texts[2]).toMatch(/no picture/);
});

test("input: a skill that is sent or named comes with its text, once", async () => {
	const path = join(folder, "SKILL.md");
	writeFileSync(path, "Do it so.");
	const list = `<skills_instructions>\n- demo: Shows. (file: ${path})\n- other: Else. (file: /no)\n</skills_instructions>`;
	const prelude = [
		{ type: "message", role: "developer", content: [{ type: "input_text", text: "Base." }] },
		{ type: "message", role: "developer", content: [{ type: "input_text", text: list }] },
	];
	const { items } = await sent(
		[
			{ type: "skill", name: "demo", path },
			{ type: "text", text: "use $demo" },
		],
		prelude,
	);
	expect(items.slice(2).map((item) => item["content"])).toEqual([
		[{ type: "input_text", text: "use $demo" }],
		[{ type: "input_text", text: `<skill>\n<name>demo</name>\n<path>${path}</path>\nDo it so.\n</skill>` }],
	]);
	const named = await sent([{ type: "text", text: "with $demo and $other" }], prelude);
	expect(named.items).toHaveLength(4);
});
