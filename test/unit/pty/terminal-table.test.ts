import { expect, test } from "vitest";
import type { HostTerminal } from "#client/attach/host-message.ts";
import { createTerminalTable } from "#daemon/pty/terminal-table.ts";
import { terminalIntend, terminalRunning } from "#daemon/storage/repository/terminal.ts";
import { openTestStore } from "#test/support/store.ts";

const INTENT = {
	terminal_id: "t1",
	name: "short",
	default_name: "true",
	argv: ["/bin/true"],
	cwd: "/",
	env: {},
	cols: 80,
	rows: 24,
	machine_id: "m",
	created_by: "test",
};

test("terminal table: a program that ended before its start was told stays ended, here and on disk", async () => {
	await using store = await openTestStore();
	const table = createTerminalTable(store, () => undefined);
	const { terminal } = await store.write(terminalIntend, INTENT);
	const running = { ...terminal, pid: 7, status: "running" } as HostTerminal;
	const end = { terminal_id: "t1", status: "exited" as const, exit_code: 0, signal: null, reason: null };
	const ended = table.end(end);
	table.overlay(running, "m");
	expect(table.living()).toEqual([]);
	await ended;
	table.overlay(running, "m");
	expect(table.living()).toEqual([]);
	await store.write(terminalRunning, INTENT);
	expect(table.all()).toMatchObject([{ terminal_id: "t1", status: "exited", exit_code: 0 }]);
});
