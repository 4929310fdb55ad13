import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
	commandItem,
	makeApproval,
	makeSnapshot,
	makeThread,
	makeTurn,
	userItem,
} from "../support/tui-records.ts";
import { runTuiInPty } from "../support/tui-run.ts";

async function withEditor(
	script: string,
	work: (env: Record<string, string | undefined>) => Promise<void>,
): Promise<void> {
	const dir = await mkdtemp(join(tmpdir(), "editor-"));
	try {
		const file = join(dir, "my editor");
		await writeFile(file, `#!/bin/sh\n${script}\n`);
		await chmod(file, 0o755);
		await work({ VISUAL: `'${file}' --wait`, EDITOR: "false" });
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}

describe("TUI: Ctrl+G, the external editor", () => {
	test("editor: gets the draft and the keys, and what it saves is the draft; nothing is sent", async () => {
		const script = `printf 'in the editor (%s): ' "$1"; read answer; printf '%s\\nsecond line\\n' "$answer" >> "$2"`;
		await withEditor(script, async (env) => {
			await using tui = await runTuiInPty({ env });
			await tui.see("daemon ready");
			tui.send("a draft ");
			await tui.see("› a draft");
			tui.send("\u0007");
			await tui.see("in the editor (--wait): ");
			tui.send("typed there\r");
			await tui.see(/› a draft typed there\n {3}second line/);
			tui.send(", and on");
			await tui.see("second line, and on");
			// Taking it back is one undo away.
			tui.send("\u001f\u001f");
			await tui.see((screen) => /› a draft *$/m.test(screen.text()));
			expect(tui.calls.some((call) => call.method === "chat.create")).toBe(false);
		});
	});

	test("editor: Ctrl+C in it ends it and not the TUI, and the draft stays", async () => {
		await withEditor("echo in the editor; read answer", async (env) => {
			await using tui = await runTuiInPty({ env });
			await tui.see("daemon ready");
			tui.send("kept");
			await tui.see("› kept");
			tui.send("\u0007");
			await tui.see("in the editor");
			tui.send("\u0003");
			await tui.see(/(was ended|exited with code 130); the draft is as it was/);
			tui.send(" on");
			await tui.see("› kept on");
		});
	});

	test("editor: none is set, and the TUI says what to do", async () => {
		await using tui = await runTuiInPty({ env: { VISUAL: "", EDITOR: "" } });
		await tui.see("daemon ready");
		tui.send("kept\u0007");
		await tui.see("no editor is set: export VISUAL or EDITOR");
		expect(tui.screen.text()).toContain("› kept");
	});
});

describe("TUI: keys as help says", () => {
	test("help: Shift+Tab, Ctrl+O and Ctrl+R do what is written there", async () => {
		await using tui = await runTuiInPty({ threadId: "t1", rows: 50 });
		const items = [userItem("i1", "why?"), commandItem("i2", { aggregatedOutput: "first\nsecond\nthird\n" })];
		tui.order({ do: "answer", name: "chat.settings.update", payload: { thread: makeThread() } });
		tui.order({
			do: "snapshot",
			name: "chats.activity:t1",
			payload: makeSnapshot({
				thread: makeThread({ status: "idle" }),
				turns: [makeTurn({ status: "completed", items })],
			}),
		});
		await tui.see("✓ 3 lines");
		tui.send("?");
		await tui.see("Shift+Tab");
		const help = tui.screen.text();
		for (const key of ["Ctrl+O", "Ctrl+R", "Ctrl+G", "Ctrl+L", "Ctrl+Z"]) expect(help).toContain(key);
		tui.send("\u001b");
		await tui.see((screen) => !screen.text().includes("Ctrl+L"));
		tui.send("\u000f");
		await tui.see(/first\n +second\n +third/);
		tui.send("\u001b[Z");
		await tui.see("approvals never: ");
		const call = await tui.called("chat.settings.update");
		expect(call.params).toMatchObject({ thread_id: "t1", approval_policy: "never" });
		tui.send("\u0012wh");
		await tui.see("search: wh  why?");
		tui.send("\r");
		await tui.see("› why?");
	});
});

describe("TUI: a prompt that took the keys by itself", () => {
	test("approval: y as the beginning of a sentence goes to the composer; y alone answers", async () => {
		await using tui = await runTuiInPty();
		await tui.see("daemon ready");
		const approval = makeApproval("a1");
		tui.order({ do: "event", name: "approvals.state", payload: { op: "put", key: "a1", value: approval } });
		tui.order({ do: "answer", name: "chat.approval.respond", payload: { approval } });
		await tui.see("y once");
		tui.send("y");
		await tui.see("approving…  esc takes it back");
		tui.send("e");
		await tui.see("› ye");
		tui.send("s, later");
		await tui.see("› yes, later");
		await tui.see("Ctrl+X to answer");
		tui.send("\u0015");
		await tui.see("y once");
		expect(tui.calls.filter((call) => call.method === "chat.approval.respond")).toEqual([]);
		tui.send("y");
		const call = await tui.called("chat.approval.respond");
		expect(call.params).toEqual({ approval_id: "a1", decision: "accept", digest: "digest-a1" });
	});
});
