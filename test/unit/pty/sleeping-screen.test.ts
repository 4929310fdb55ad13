import { describe, expect, test } from "vitest";
import { createSleepingScreen } from "#daemon/pty/sleeping-screen.ts";
import { createSeededRandom, randomEscapeStream } from "#test/support/escape-stream.ts";
import { createFakeClock } from "#test/support/fake-clock.ts";
import { createVirtualTerminal } from "#test/support/virtual-terminal.ts";

function createScreen(titles: string[] = []) {
	const clock = createFakeClock();
	const answers: string[] = [];
	const screen = createSleepingScreen(
		{
			cols: 80,
			rows: 24,
			scrollback: 1000,
			onAnswer: (data) => void answers.push(data),
			onTitle: (title) => void titles.push(title),
		},
		clock,
	);
	return { screen, clock, answers };
}

describe("sleeping screen", () => {
	test("equals one that never slept, whenever it slept", async () => {
		for (let seed = 1; seed <= 120; seed += 1) {
			const bytes = Buffer.from(randomEscapeStream(seed, 160));
			const random = createSeededRandom(seed);
			using reference = createVirtualTerminal();
			await reference.write(bytes);
			const { screen, clock } = createScreen();
			for (let at = 0; at < bytes.length; ) {
				const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 400));
				await screen.feed(bytes.subarray(at, end), false);
				clock.advance(random() < 0.5 ? 120_000 : 100);
				at = end;
			}
			using copy = createVirtualTerminal();
			await copy.write(await screen.paint("full"));
			expect(copy.state(), `seed ${seed}`).toEqual(reference.state());
			screen[Symbol.dispose]();
		}
	});

	test("no timer while asleep; looking does not wake it, and shows the same twice", async () => {
		const { screen, clock } = createScreen();
		await screen.feed(Buffer.from("\x1b[31mred\x1b[m and \x1b[3"), false);
		const before = await screen.paint("full");
		expect(clock.pending).toBe(1);
		clock.advance(1_000);
		expect(Buffer.from(await screen.paint("full"))).toEqual(Buffer.from(before));
		expect(Buffer.from(await screen.paint("full"))).toEqual(Buffer.from(before));
		expect((await screen.lines()).lines[0]).toBe("red and ");
		expect(clock.pending).toBe(0);
		await screen.feed(Buffer.from("2mgreen"), false);
		expect(clock.pending).toBe(1);
		expect((await screen.lines()).lines[0]).toBe("red and green");
	});

	test("with history it sleeps after a minute; woken, it answers and tells a title once", async () => {
		const titles: string[] = [];
		const { screen, clock, answers } = createScreen(titles);
		await screen.feed(Buffer.from(`\x1b]2;mine\x07${"line\r\n".repeat(100)}`), false);
		clock.advance(59_000);
		expect(clock.pending).toBe(1);
		clock.advance(1_000);
		await screen.lines();
		expect(clock.pending).toBe(0);
		await screen.resize(40, 10);
		await screen.feed(Buffer.from("\x1b[6n"), true);
		expect(answers).toEqual(["\x1b[10;1R"]);
		expect(titles).toEqual(["mine"]);
	});
});
