import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeSnapshot, makeTurn, userItem } from "../support/tui-records.ts";
import { runTuiInPty, type TuiRun } from "../support/tui-run.ts";

/** Runs the TUI under a shell that compares the terminal's settings before and after. */
async function between(
	work: (tui: TuiRun) => Promise<void>,
): Promise<{ tui: string; code: string; isEqual: boolean; cursor: boolean; raw: string }> {
	const dir = await mkdtemp(join(tmpdir(), "stty-"));
	try {
		const shell = `stty -a > ${dir}/before; echo MAIN-SCREEN; $TUI; echo "code=$?"; stty -a > ${dir}/after; echo finished`;
		await using tui = await runTuiInPty({ shell });
		await tui.see("daemon ready");
		await work(tui);
		await tui.see("finished");
		const [before, after] = await Promise.all([
			readFile(join(dir, "before"), "utf8"),
			readFile(join(dir, "after"), "utf8"),
		]);
		const text = tui.screen.text();
		expect([...tui.screen.history(), ...tui.screen.lines()].join("\n")).toContain("MAIN-SCREEN");
		expect(tui.screen.alternate).toBe(false);
		const [, code = ""] = /code=(\d+)/.exec(text) ?? [];
		return {
			tui: text,
			code,
			isEqual: before === after,
			cursor: tui.screen.cursor.visible,
			raw: tui.pty.raw(),
		};
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}

describe("the terminal is given back", () => {
	test.each<[string, string, (tui: TuiRun) => void]>([
		["Ctrl+D", "0", (tui) => tui.send("\u0004")],
		["/quit", "0", (tui) => tui.send("/quit\r")],
		["Ctrl+C twice", "0", (tui) => tui.send("\u0003\u0003")],
		["SIGTERM", "143", (tui) => void process.kill(tui.tuiPid, "SIGTERM")],
		["SIGHUP", "129", (tui) => void process.kill(tui.tuiPid, "SIGHUP")],
		["a crash", "70", (tui) => tui.order({ do: "crash" })],
	])("terminal: as before after %s, exit %s", async (_way, code, leave) => {
		const result = await between(async (tui) => {
			tui.send("a draft");
			await tui.see("› a draft");
			tui.send("\u0015");
			await tui.see((screen) => !screen.text().includes("a draft"));
			leave(tui);
		});
		expect(result).toMatchObject({ code, isEqual: true, cursor: true });
		// The live rows are gone, bracketed paste is off.
		expect(result.tui).not.toContain("? help");
		expect(result.raw.lastIndexOf("\u001b[?2004l")).toBeGreaterThan(result.raw.lastIndexOf("\u001b[?2004h"));
	});

	test("terminal: Ctrl+Z stops the job with the terminal as before, fg brings the screen back", async () => {
		const dir = await mkdtemp(join(tmpdir(), "stop-"));
		try {
			const shell = `set -m; stty -a > ${dir}/before; $TUI; echo "stopped=$?"; stty -a > ${dir}/after; fg > /dev/null; echo "code=$?"; echo finished`;
			await using tui = await runTuiInPty({ shell });
			await tui.see("daemon ready");
			tui.send("kept draft");
			await tui.see("› kept draft");
			tui.send("\u001a");
			await tui.see("stopped=148");
			await tui.see(
				(screen) => screen.text().lastIndexOf("› kept draft") > screen.text().indexOf("stopped=148"),
			);
			expect(await readFile(join(dir, "after"), "utf8")).toBe(await readFile(join(dir, "before"), "utf8"));
			tui.send("!");
			await tui.see("› kept draft!");
			tui.send("\u0015\u0004");
			await tui.see("finished");
			expect(tui.screen.text()).toContain("code=0");
		} finally {
			await rm(dir, { recursive: true, force: true });
		}
	});
});

describe("terminal manners", () => {
	test("start: the first frame and the composer do not wait for the daemon; the draft is sent when it comes", async () => {
		await using tui = await runTuiInPty({ isOffline: true });
		await tui.see("connecting");
		tui.send("hello\r");
		await tui.see("waits for the daemon");
		expect(tui.calls).toEqual([]);
		tui.order({ do: "connect" });
		const call = await tui.called("chat.message.send");
		expect(call.params).toMatchObject({ thread_id: "t1", text: "hello", when_busy: "steer" });
	});

	test("paste: lines stay lines, nothing is sent", async () => {
		await using tui = await runTuiInPty();
		await tui.see("daemon ready");
		tui.send("\u001b[200~one\rtwo\r\nthree\u001b[201~");
		await tui.see(/› one\n {3}two\n {3}three/);
		expect(tui.calls.some((call) => call.method === "chat.create")).toBe(false);
	});

	test("keys: Alt+Enter and Ctrl+J make new lines, one chunk of text and Enter sends", async () => {
		await using tui = await runTuiInPty();
		await tui.see("daemon ready");
		tui.send("a\u001b\rb\nc");
		await tui.see(/› a\n {3}b\n {3}c/);
		tui.send("\r");
		const call = await tui.called("chat.message.send");
		expect(call.params).toMatchObject({ text: "a\nb\nc" });
	});

	test("attach: gives the terminal away on a screen of its own, comes back and says how it ended", async () => {
		await using tui = await runTuiInPty();
		await tui.see("daemon ready");
		tui.send("/attach\r");
		await tui.see("attached to term-shell1");
		expect(tui.screen.alternate).toBe(true);
		expect(tui.screen.text()).not.toContain("? help");
		tui.send("d");
		await tui.see("detached from shell1 (it goes on). Back: /attach shell1");
		expect(tui.screen.alternate).toBe(false);
		tui.send("still typing");
		await tui.see("› still typing");
		tui.send("\u0015/attach\r");
		await tui.called("terminal.session.start");
	});

	test("redraw: Ctrl+L repairs the screen after another program wrote over it", async () => {
		await using tui = await runTuiInPty({ threadId: "t1" });
		const turn = makeTurn({ status: "completed", items: [userItem("i1", "why?")] });
		tui.order({ do: "snapshot", name: "chats.activity:t1", payload: makeSnapshot({ turns: [turn] }) });
		await tui.see("› why?");
		await tui.screen.write("\u001b[HGARBAGE\u001b[5;5HGARBAGE");
		tui.send("\u000c");
		await tui.see(
			(screen) =>
				!screen.text().includes("GARBAGE") &&
				screen.text().includes("› why?") &&
				screen.text().includes("? help"),
		);
	});

	test("resize: the live rows follow the width without breaking", async () => {
		await using tui = await runTuiInPty({ cols: 120, rows: 30 });
		await tui.see("daemon ready");
		tui.send("some words");
		await tui.see("› some words");
		tui.pty.resize(40, 12);
		await tui.see((screen) => /\? help$/m.test(screen.text()) && screen.text().includes("› some words"));
		tui.pty.resize(100, 30);
		tui.send(" more");
		await tui.see("› some words more");
	});

	test("dumb: without colours and glyphs everything is still said", async () => {
		await using tui = await runTuiInPty({ env: { NO_COLOR: "1" } });
		await tui.see("daemon ready");
		expect(tui.pty.raw()).not.toMatch(/\u001b\[(?:\d+;)*(?:3[0-7]|9[0-7])m/);
	});
});
