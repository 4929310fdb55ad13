import { expect, test } from "vitest";
import { createState } from "#tui/store/state.ts";
import { createStore } from "#tui/store/store.ts";
import { createTheme } from "#tui/theme/theme.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { AT_MS } from "../../support/tui-records.ts";

test("store: a burst of changes is told once per frame, and every dispatch is seen at once", async () => {
	const clock = createFakeClock(AT_MS);
	const surroundings = { version: "0", machine: "m", cwd: "/", homeDir: undefined };
	const store = createStore({
		initial: createState(surroundings, "s", AT_MS),
		clock,
		newId: () => "id",
		onEffect: () => undefined,
	});
	let told = 0;
	store.subscribe(() => {
		told += 1;
	});
	for (let index = 0; index < 100; index += 1) {
		store.dispatch({ type: "key", event: { chord: "x", text: "x" } });
		expect(store.getState().editor.text).toHaveLength(index + 1);
	}
	await Promise.resolve();
	expect(told).toBe(1);
	expect(store.getFrame().editor.text).toHaveLength(100);
	for (let index = 0; index < 1_000; index += 1) {
		store.dispatch({ type: "key", event: { chord: "y", text: "y" } });
		clock.advance(1);
	}
	expect(told).toBeGreaterThan(30);
	expect(told).toBeLessThanOrEqual(61);
});

test("theme: NO_COLOR drops colours, TERM=dumb drops everything and has ASCII twins", () => {
	const line = [{ text: "x", token: "bad" as const, bold: true }];
	expect(createTheme({ LANG: "C.UTF-8" }).paint(line)).toBe("\u001b[1;31mx\u001b[0m");
	expect(createTheme({ LANG: "C.UTF-8", NO_COLOR: "1" }).paint(line)).toBe("\u001b[1mx\u001b[0m");
	const dumb = createTheme({ LANG: "C.UTF-8", TERM: "dumb" });
	expect(dumb.paint(line)).toBe("x");
	expect(dumb.glyphs.done).toBe("ok");
	expect(createTheme({ LANG: "C" }).glyphs.prompt).toBe(">");
});
