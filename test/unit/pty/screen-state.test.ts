import { describe, expect, test } from "vitest";
import { createScreenState, type ScreenState } from "#daemon/pty/screen-state.ts";
import { createSeededRandom, randomEscapeStream } from "#test/support/escape-stream.ts";
import { createVirtualTerminal } from "#test/support/virtual-terminal.ts";

function createScreen(answers: string[] = []): ScreenState {
	return createScreenState({
		cols: 80,
		rows: 24,
		scrollback: 1000,
		onAnswer: (data) => void answers.push(data),
		onTitle: () => undefined,
	});
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

	test("snapshot: equal to the reference when a flood was fed in large pieces and most lines were skipped", async () => {
		for (const eol of ["\r\n", "\x1b[m\r\n"]) {
			const random = createSeededRandom(7);
			const lines = Array.from(
				{ length: 30_000 },
				(_, n) =>
					`\x1b[3${Math.floor(random() * 8)}mline ${n} ${"é日x".repeat(Math.floor(random() * 12))}\x1b[1;4${n % 8}m!${eol}`,
			);
			const bytes = Buffer.from(`${lines.join("")}$ `);
			using reference = createVirtualTerminal();
			await reference.write(bytes);
			using screen = createScreen();
			const cuts = [0, 300_001, 700_007, 1_200_003, bytes.length];
			cuts.slice(1).forEach((end, at) => void screen.feed(bytes.subarray(cuts[at] ?? 0, end), false));
			using copy = createVirtualTerminal();
			await copy.write(await screen.paint("full"));
			expect(copy.state()).toEqual(reference.state());
		}
	});

	test("snapshot: holds no query, and answers go out only where nobody else answers", async () => {
		const answers: string[] = [];
		using screen = createScreen(answers);
		await screen.feed(Buffer.from("\x1b[6n\x1b[c"), true);
		await screen.feed(Buffer.from("\x1b[6n\x1b[c"), false);
		expect(answers).toEqual(["\x1b[1;1R", "\x1b[?1;2c"]);
		using copy = createVirtualTerminal();
		await copy.write(await screen.paint("full"));
		expect(copy.answers).toEqual([]);
	});

	test("painting over: the active screen appears on a dirty terminal without leaving its alternate screen", async () => {
		using screen = createScreen();
		await screen.feed(
			Buffer.from("shell\r\n\x1b[?1049h\x1b[5;5Hfull screen\x1b[?25l\x1b[?1006h\x1b[?2004h"),
			false,
		);
		using person = createVirtualTerminal();
		await person.write("mine\r\n\x1b[?1049h\x1b[3;9r\x1b[?6hgarbage\x1b[?1003h");
		await person.write(await screen.paint("screen"));
		expect(person.lines()[4]).toBe("    full screen");
		expect(person.text()).not.toContain("garbage");
		expect(person.state()).toMatchObject({
			alternate: true,
			mouseEncoding: "SGR",
			margins: [0, 23],
			cursor: { visible: false },
		});
		expect(person.state().modes).toMatchObject({
			mouseTrackingMode: "none",
			bracketedPasteMode: true,
			originMode: false,
		});
		await person.write("\x1b[?1049l");
		expect(person.lines()[0]).toBe("mine");
	});

	test("title: a program's title is one short, harmless line, in what is told and in snapshots", async () => {
		const titles: string[] = [];
		using screen = createScreenState({
			cols: 80,
			rows: 24,
			scrollback: 10,
			onAnswer: () => undefined,
			onTitle: (title) => void titles.push(title),
		});
		for (const title of ["plain", "a\u202eb", "日".repeat(3_000_000)])
			await screen.feed(Buffer.from(`\x1b]2;${title}\x07`), false);
		expect(titles).toEqual(["plain", "ab", "日".repeat(256)]);
		expect((await screen.paint("full")).length).toBeLessThan(4096);
	});

	test("no sequence breaks the emulator: what a program sends stays its own trouble", async () => {
		using screen = createScreen();
		// The emulator itself throws on this one.
		await screen.feed(Buffer.from("above\x1b[24;80H\x1b[1J\x1b[2;1Hafter"), false);
		expect((await screen.lines()).lines.slice(0, 2)).toEqual(["", "after"]);
		await screen.feed(Buffer.from("\x1b[24;80H\x1b[?1J\r\nlast"), false);
		expect((await screen.lines()).lines.at(-1)).toBe("last");
	});
});
