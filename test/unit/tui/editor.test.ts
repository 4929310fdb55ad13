import { describe, expect, test } from "vitest";
import {
	EDITOR_COMMANDS,
	type EditorCommand,
	type EditorState,
	EMPTY_EDITOR,
	insertPaste,
	insertText,
} from "#tui/editor/editor.ts";
import { addEntry, EMPTY_HISTORY, searchMatch, stepHistory } from "#tui/editor/history.ts";

/** `|` is the cursor. */
function at(marked: string): EditorState {
	const cursor = marked.indexOf("|");
	return { ...EMPTY_EDITOR, text: marked.replace("|", ""), cursor };
}
function show(state: EditorState): string {
	return `${state.text.slice(0, state.cursor)}|${state.text.slice(state.cursor)}`;
}
function run(state: EditorState, ...commands: EditorCommand[]): EditorState {
	return commands.reduce((next, command) => EDITOR_COMMANDS[command](next) ?? next, state);
}

describe("editor", () => {
	test.each<[string, EditorCommand, string]>([
		["ab|c", "edit.left", "a|bc"],
		["日👨‍👩‍👧|", "edit.left", "日|👨‍👩‍👧"],
		["|👨‍👩‍👧x", "edit.right", "👨‍👩‍👧|x"],
		["one two|", "edit.word_left", "one |two"],
		["|one two", "edit.word_right", "one| two"],
		["a\nbc|d", "edit.line_start", "a\n|bcd"],
		["a\n|bcd\ne", "edit.line_end", "a\nbcd|\ne"],
		["ab\n|cd", "edit.left", "ab|\ncd"],
		["e\u0301|", "edit.backspace", "|"],
		["a\n|b", "edit.backspace", "a|b"],
		["a|b", "edit.delete", "a|"],
		["one two|", "edit.kill_word_left", "one |"],
		["|one two", "edit.kill_word_right", "| two"],
		["ab|cd\ne", "edit.kill_line_right", "ab|\ne"],
		["ab|\ncd", "edit.kill_line_right", "ab|cd"],
		["a\nbc|d", "edit.kill_line_left", "a\n|d"],
		["ab|", "edit.transpose", "ba|"],
		["a|b", "edit.transpose", "ba|"],
		["abc\nd|", "edit.up", "a|bc\nd"],
		["ab|c\nd", "edit.down", "abc\nd|"],
		["日本|\nabcd", "edit.down", "日本\nabcd|"],
	])("editor: %s by %s is %s", (before, command, after) => {
		expect(show(run(at(before), command))).toBe(after);
	});

	test("editor: up at the first line and down at the last are for history", () => {
		expect(EDITOR_COMMANDS["edit.up"](at("ab|c"))).toBeUndefined();
		expect(EDITOR_COMMANDS["edit.down"](at("abc\nd|"))).toBeUndefined();
	});

	test("editor: the column is kept over a short line", () => {
		expect(show(run(at("abcd|\nx\nabcd"), "edit.down", "edit.down"))).toBe("abcd\nx\nabcd|");
	});

	test("editor: kills in a row are yanked as one, and yank-pop goes back", () => {
		const killed = run(at("one two three|"), "edit.kill_word_left", "edit.kill_word_left");
		expect(show(run(killed, "edit.yank"))).toBe("one two three|");
		const second = run(at("x|"), "edit.kill_line_left");
		const both = { ...second, killRing: ["old", ...second.killRing] };
		expect(show(run(both, "edit.yank", "edit.yank_pop"))).toBe("old|");
	});

	test("editor: typed letters are undone as a word, and redone", () => {
		let state = EMPTY_EDITOR;
		for (const letter of "abc") state = insertText(state, letter);
		state = insertText(state, " ");
		for (const letter of "de") state = insertText(state, letter);
		expect(show(run(state, "edit.undo"))).toBe("abc |");
		expect(show(run(state, "edit.undo", "edit.undo", "edit.undo"))).toBe("|");
		expect(show(run(state, "edit.undo", "edit.redo"))).toBe("abc de|");
	});

	test("editor: pasted line ends become newlines and controls go", () => {
		expect(insertPaste(EMPTY_EDITOR, "a\r\nb\rc\u001b[0m\u0007").text).toBe("a\nb\nc[0m");
	});
});

describe("history", () => {
	const history = ["one", "two", "two", "three"].reduce(addEntry, EMPTY_HISTORY);

	test("history: repeated entries are kept once", () => {
		expect(history.entries).toEqual(["one", "two", "three"]);
	});

	test("history: up walks back, down comes back to the draft", () => {
		const first = stepHistory(history, -1, "draft");
		expect(first?.text).toBe("three");
		const second = first && stepHistory(first.state, -1, "three");
		expect(second?.text).toBe("two");
		const back = second && stepHistory(second.state, 1, "two");
		const draft = back && stepHistory(back.state, 1, "three");
		expect(draft?.text).toBe("draft");
		expect(draft && stepHistory(draft.state, 1, "draft")).toBeUndefined();
		expect(stepHistory(EMPTY_HISTORY, -1, "")).toBeUndefined();
	});

	test("history: search shows the newest match and steps to older ones", () => {
		expect(searchMatch({ ...history, search: { query: "t", skip: 0 } })).toBe("three");
		expect(searchMatch({ ...history, search: { query: "T", skip: 1 } })).toBe("two");
		expect(searchMatch({ ...history, search: { query: "zz", skip: 0 } })).toBeUndefined();
	});
});
