import { describe, expect, test } from "vitest";
import { chordLabel, DEFAULT_KEYMAP } from "#tui/keymap/default-keymap.ts";
import { decodeInput, type RawKey } from "#tui/keymap/key-event.ts";
import { resolveChord } from "#tui/keymap/resolve.ts";
import { activeContexts } from "#tui/store/reduce-key.ts";
import { makeApproval } from "../../support/tui-records.ts";
import { createDriver } from "./tui-driver.ts";

const NONE: RawKey = {
	upArrow: false,
	downArrow: false,
	leftArrow: false,
	rightArrow: false,
	pageUp: false,
	pageDown: false,
	home: false,
	end: false,
	return: false,
	escape: false,
	tab: false,
	backspace: false,
	delete: false,
	ctrl: false,
	shift: false,
	meta: false,
};
function chords(input: string, key: Partial<RawKey> = {}): string[] {
	return decodeInput(input, { ...NONE, ...key }).map((event) => event.chord);
}

describe("keys", () => {
	test("keys: names and modifiers make one chord", () => {
		expect(chords("", { return: true, shift: true })).toEqual(["shift+enter"]);
		expect(chords("", { return: true, meta: true })).toEqual(["alt+enter"]);
		expect(chords("a", { ctrl: true })).toEqual(["ctrl+a"]);
		expect(chords("b", { meta: true })).toEqual(["alt+b"]);
		expect(chords("", { leftArrow: true, ctrl: true })).toEqual(["ctrl+left"]);
		expect(chords("", { escape: true, meta: true })).toEqual(["escape"]);
		expect(chords("Y", { shift: true })).toEqual(["Y"]);
	});

	test("keys: several keys of one chunk come apart at control characters", () => {
		expect(chords("hello\rworld\u0001\n")).toEqual(["hello", "enter", "world", "ctrl+a", "ctrl+j"]);
		expect(chords("日本\t")).toEqual(["日本", "tab"]);
	});

	test("keys: a release is no key", () => {
		expect(chords("a", { eventType: "release" })).toEqual([]);
	});

	test("keymap: no context binds a chord twice", () => {
		for (const bindings of Object.values(DEFAULT_KEYMAP)) {
			const all = bindings.map((binding) => binding.chord);
			expect(new Set(all).size).toBe(all.length);
		}
	});

	test("keymap: the innermost context wins", () => {
		expect(resolveChord("escape", ["approval", "global"])).toBe("approval.later");
		expect(resolveChord("escape", ["composer", "global"])).toBe("app.escape");
		expect(resolveChord("y", ["composer", "global"])).toBeUndefined();
	});

	test("keymap: another table remaps a command", () => {
		const keymap = { ...DEFAULT_KEYMAP, global: [{ chord: "f2", command: "app.redraw" }] };
		expect(resolveChord("f2", ["global"], keymap)).toBe("app.redraw");
		expect(resolveChord("ctrl+l", ["global"], keymap)).toBeUndefined();
	});

	test("keymap: layers follow the state", () => {
		const driver = createDriver();
		expect(activeContexts(driver.state())).toEqual(["empty", "composer", "global"]);
		driver.keys("text:/");
		expect(activeContexts(driver.state())[0]).toBe("popup");
		driver.keys("ctrl+u");
		driver.do({ type: "approval_put", approval: makeApproval("a") });
		expect(activeContexts(driver.state())).not.toContain("approval");
		driver.wait(1_500);
		driver.do({ type: "approval_armed", approvalId: "a" });
		expect(activeContexts(driver.state())[0]).toBe("approval");
	});

	test("keymap: chords are written for people", () => {
		expect(chordLabel("ctrl+x")).toBe("Ctrl+X");
		expect(chordLabel("shift+tab")).toBe("Shift+Tab");
		expect(chordLabel("?")).toBe("?");
	});
});
