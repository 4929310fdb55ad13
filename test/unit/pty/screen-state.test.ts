import { describe, expect, test } from "vitest";
import { createScreenState, type ScreenState } from "#daemon/pty/screen-state.ts";
import { createSeededRandom, randomEscapeStream } from "#test/support/escape-stream.ts";
import { createVirtualTerminal } from "#test/support/virtual-terminal.ts";

function createScreen(answers: string[] = []): ScreenState {
	return createScreenState({ cols: 80, rows: 24, scrollback: 1000, onAnswer: (data) => void answers.push(data), onTitle: () => undefined });
}

describe("screen state", () => {
	test("snapshot: a fresh emulator that gets snapshot and rest equals one that saw every byte", async () => {
		for (let seed = 1; seed <= 60; seed += 1) {
			const bytes = Buffer.from(randomEscapeStream(seed, 160));
			const cut = Math.floor(createSeededRandom(seed)() * bytes.length);
			using reference = createVirtualTerminal();
			await reference.write(bytes);
			using screen = createScreen();
			void screen.feed(bytes.subarray(0, cut), false);
			using copy = createVirtualTerminal();
			await copy.write(await screen.paint("full"));
			await copy.write(bytes.subarray(cut));
			expect(copy.state(), `seed ${seed}, cut at ${cut}`).toEqual(reference.state());
		}
	});
});
