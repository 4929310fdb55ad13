import { describe, expect, test } from "vitest";
import {
	agentItem,
	commandItem,
	makeAgent,
	makeApproval,
	makeSnapshot,
	makeThread,
	makeTurn,
	patchItem,
	userItem,
} from "../support/tui-records.ts";
import { runTuiInPty, type TuiRun } from "../support/tui-run.ts";

const SIZES = [
	[40, 12],
	[80, 24],
	[200, 60],
] as const;
// What would make a terminal flicker or lose its scrollback: clear screen, clear scrollback, home and erase down.
const FULL_CLEAR = new RegExp(
	["2J", "3J", "H\u001b\\[J", "1;1H\u001b\\[J"].map((code) => `\u001b\\[${code}`).join("|"),
	"g",
);

async function openThread(tui: TuiRun, items = [userItem("i1", "why?")]): Promise<void> {
	const turn = makeTurn({ started_at_ms: Date.now(), items });
	tui.order({
		do: "snapshot",
		name: "chats.activity:t1",
		payload: makeSnapshot({ thread: makeThread({ status: "working" }), turns: [turn] }),
	});
	await tui.see("why?");
}

describe.each(SIZES)("TUI at %ix%i", (cols, rows) => {
	test("approvals: typing on while three arrive answers none and loses no key", async () => {
		await using tui = await runTuiInPty({ cols, rows, threadId: "t1" });
		await openThread(tui);
		const text = "yes any can go: y a n";
		let typed = "";
		for (const [index, letter] of [...text].entries()) {
			tui.send(letter);
			typed += letter;
			const shown = typed.trimEnd();
			await tui.see((screen) => screen.text().includes(`› ${shown}`));
			if (index === 2 || index === 8 || index === 14) {
				const id = `a${index}`;
				tui.order({
					do: "event",
					name: "approvals.state",
					payload: { op: "put", key: id, value: makeApproval(id) },
				});
				await tui.see("▲ approve");
			}
		}
		await tui.see("1 of 3");
		await tui.see("Ctrl+X");
		expect(tui.calls.filter((call) => call.method === "chat.approval.respond")).toEqual([]);
		expect(tui.screen.text()).toContain(`› ${text}`);
		expect(tui.screen.text()).toContain("npm test -- a2");
		tui.order({
			do: "answer",
			name: "chat.approval.respond",
			payload: { approval: makeApproval("a2", { status: "accepted" }) },
		});
		tui.send("\u0018");
		await tui.see("y once");
		tui.send("y");
		const call = await tui.called("chat.approval.respond");
		expect(call.params).toEqual({ approval_id: "a2", decision: "accept", digest: "digest-a2" });
		await tui.see("npm test -- a8");
		expect(tui.screen.text()).toContain(`› ${text}`);
	});

	test("streaming: 2,000 deltas clear the screen not once, and keys go on", async () => {
		await using tui = await runTuiInPty({ cols, rows, threadId: "t1" });
		await openThread(tui, [userItem("i1", "why?"), agentItem("i2", "")]);
		const event = {
			type: "chat.message.delta",
			thread_id: "t1",
			turn_id: "u1",
			item_id: "i2",
			delta: "some words 日本 and on\nnext ",
		};
		const before = tui.pty.raw().length;
		tui.order({ do: "burst", name: "chats.activity:t1", payload: event, count: 2_000 });
		tui.send("typed on");
		await tui.see("› typed on");
		await tui.burstDone();
		const item = agentItem("i2", `${event.delta.repeat(2_000)}the end`);
		tui.order({
			do: "event",
			name: "chats.activity:t1",
			payload: { type: "chat.item.completed", thread_id: "t1", turn_id: "u1", item_id: "i2", item },
		});
		await tui.see("the end");
		const written = tui.pty.raw().slice(before);
		expect(written.match(FULL_CLEAR)).toBeNull();
		expect(tui.screen.text()).toContain("› typed on");
		// The whole text stands in the scrollback exactly once.
		const all = [...tui.screen.history(), ...tui.screen.lines()];
		expect(all.filter((line) => line.includes("the end"))).toHaveLength(1);
		// A frame is one synchronized update; 60 a second at most.
		expect((written.match(/\u001b\[\?2026h/g) ?? []).length).toBeLessThan(1_000);
	});

	test("screen: what a conversation looks like fits the width, and the cursor stands in the composer", async () => {
		await using tui = await runTuiInPty({ cols, rows, threadId: "t1" });
		await openThread(tui, [
			userItem("i1", "why?"),
			agentItem("i2", "Looking at 日本語 first."),
			commandItem("i3"),
			patchItem("i4"),
		]);
		tui.order({
			do: "snapshot",
			name: "agents.state",
			payload: {
				agents: [makeAgent("ada", { thread_id: "t1" }), makeAgent("tester", { status: "working" })],
			},
		});
		await tui.see("+ 	sameSite: 'lax',".replace("\t", "  "));
		tui.send("日本");
		await tui.see("› 日本");
		const lines = tui.screen.lines();
		const row = lines.findIndex((line) => line.includes("› 日本"));
		expect(tui.screen.cursor).toEqual({ x: 7, y: row, visible: true });
		expect(lines.join("\n")).toMatch(/✓ 3 lines/);
		expect(lines.join("\n")).toMatch(/~ src\/session\.ts \+1 −1 +✓ applied/);
		expect(lines.join("\n")).toMatch(/● ada/);
	});
});
