import type { CommandExecutionItem, Item } from "#protocol/codex-item.ts";

/** Output that an open command keeps in memory for clients that come late; the finished item has the tool's own bound. */
const OPEN_OUTPUT_MAX_CHARS = 256 * 1024;

interface Entry {
	readonly ordinal: number;
	item: Item;
	open: boolean;
	/** Has text that was not saved yet. */
	dirty: boolean;
	/** What clients see until the finished item is durable; null: nothing, undefined: the item itself. */
	before?: Item | null;
}

/** The items of one turn as clients see them right now, partial texts included. */
export interface LiveItems {
	/** The item's place; a second item of the same id gets a place of its own once the first is closed. */
	start(item: Item): number;
	/** Closes it; `list` shows it as it was before until it is revealed. */
	complete(item: Item): number;
	/** The finished item is durable: it may be seen. */
	reveal(ordinal: number): void;
	appendText(itemId: string, delta: string): void;
	appendReasoning(
		itemId: string,
		part: { member: "summary" | "content"; index: number },
		delta: string,
	): void;
	appendOutput(itemId: string, delta: string): void;
	/** In order. */
	list(): Item[];
	openItems(): { ordinal: number; item: Item }[];
	/** Open items whose text grew since they were taken last. */
	takeDirty(): { ordinal: number; item: Item }[];
}

function withOutput(item: CommandExecutionItem, delta: string): CommandExecutionItem {
	const output = (item.aggregatedOutput ?? "") + delta;
	return {
		...item,
		aggregatedOutput: output.length > OPEN_OUTPUT_MAX_CHARS ? output.slice(-OPEN_OUTPUT_MAX_CHARS) : output,
	};
}

/** `first`: the messages the turn was opened with; they are in the store already and the loop tells them again. */
export function createLiveItems(first: readonly Item[]): LiveItems {
	const entries: Entry[] = first.map((item, ordinal) => ({ ordinal, item, open: true, dirty: false }));
	const byId = new Map<string, Entry>(entries.map((entry) => [entry.item.id, entry]));

	function start(item: Item): Entry {
		const known = byId.get(item.id);
		if (known?.open) {
			known.item = item;
			return known;
		}
		const entry: Entry = { ordinal: entries.length, item, open: true, dirty: false };
		entries.push(entry);
		byId.set(item.id, entry);
		return entry;
	}

	function change(itemId: string, make: (item: Item) => Item): void {
		const entry = byId.get(itemId);
		if (!entry?.open) return;
		entry.item = make(entry.item);
		entry.dirty = true;
	}

	return {
		start: (item) => start(item).ordinal,
		complete(item) {
			const known = byId.get(item.id);
			const before = known?.open ? known.item : null;
			const entry = start(item);
			Object.assign(entry, { open: false, dirty: false, before });
			return entry.ordinal;
		},
		reveal(ordinal) {
			delete entries[ordinal]?.before;
		},
		appendText(itemId, delta) {
			change(itemId, (item) =>
				item.type === "agentMessage" || item.type === "plan" ? { ...item, text: item.text + delta } : item,
			);
		},
		appendReasoning(itemId, { member, index }, delta) {
			change(itemId, (item) => {
				if (item.type !== "reasoning") return item;
				const texts = [...item[member]];
				while (texts.length <= index) texts.push("");
				texts[index] = (texts[index] ?? "") + delta;
				return { ...item, [member]: texts };
			});
		},
		appendOutput(itemId, delta) {
			change(itemId, (item) => (item.type === "commandExecution" ? withOutput(item, delta) : item));
		},
		list: () =>
			entries.flatMap(({ item, before }) => {
				if (before === undefined) return [item];
				return before === null ? [] : [before];
			}),
		openItems: () => entries.filter((entry) => entry.open).map(({ ordinal, item }) => ({ ordinal, item })),
		takeDirty() {
			const dirty = entries.filter((entry) => entry.open && entry.dirty);
			for (const entry of dirty) entry.dirty = false;
			return dirty.map(({ ordinal, item }) => ({ ordinal, item }));
		},
	};
}
