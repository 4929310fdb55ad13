import { describe, expect, test } from "vitest";
import {
	attachScreen,
	callContext,
	createTerminalHome,
	openTerminalDaemon,
} from "#test/support/terminal-daemon.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const SHELL = { argv: ["/bin/sh"], cols: 80, rows: 24 };

describe("terminals", () => {
	test("a program's output, input and exit code reach the attached client and the store", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		const { terminal } = await daemon.service.handlers["terminal.session.start"](SHELL, callContext());
		expect(terminal).toMatchObject({
			name: "sh",
			status: "running",
			cols: 80,
			rows: 24,
			machine_id: "machine-1",
		});
		await using client = await attachScreen(daemon, "sh");
		client.socket.input(encode("echo $((20+22)); echo $HOMIE_SESSION $TERM\r"));
		await client.screen.waitFor(/^42$/m);
		await client.screen.waitFor(`${terminal.terminal_id} xterm-256color`);
		client.socket.input(encode("exit 7\r"));
		await client.waitForEvent((event) => event.event === "exit" && event["exit_code"] === 7);
		await daemon.waitForTerminal(({ status, exit_code }) => status === "exited" && exit_code === 7);
		expect(daemon.service.terminalsSnapshot().terminals).toEqual([]);
		const { terminals } = await daemon.service.handlers["terminal.session.list"](
			{ all: true },
			callContext(),
		);
		expect(terminals).toMatchObject([{ name: "sh", status: "exited", exit_code: 7 }]);
		await expect(async () =>
			daemon.service.handlers["terminal.session.preview"]({ terminal: "sh" }, callContext()),
		).rejects.toMatchObject({ code: "TERMINAL_CLOSED" });
	});

	test("a start that cannot work is refused with the reason, and the host lives on", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		const start = daemon.service.handlers["terminal.session.start"];
		for (const bad of [
			{ argv: ["no-such-program"] },
			{ argv: ["/etc/passwd"] },
			{ argv: ["sh"], cwd: "/nowhere" },
			{ argv: ["sh", "a\0b"] },
		]) {
			await expect(async () => start({ ...SHELL, ...bad }, callContext())).rejects.toMatchObject({
				code: "PTY_SPAWN_FAILED",
			});
		}
		expect(daemon.service.terminalsSnapshot().terminals).toEqual([]);
		await start({ ...SHELL, name: "one" }, callContext());
		await expect(async () => start({ ...SHELL, name: "one" }, callContext())).rejects.toMatchObject({
			code: "CONFLICT",
		});
		await start(SHELL, callContext());
		const second = await start(SHELL, callContext());
		expect(second.terminal.name).toBe("sh-2");
	});

	test("one client drives: watchers neither type nor size, takeover is asked for, the next driver's size applies", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"]({ ...SHELL, name: "t" }, callContext());
		const size = (): string => {
			const [terminal] = daemon.service.terminalsSnapshot().terminals;
			return `${terminal?.cols}x${terminal?.rows} ${terminal?.driver?.client}`;
		};
		await using first = await attachScreen(daemon, "t", { clientId: "first", size: { cols: 100, rows: 30 } });
		await first.waitForEvent((event) => event.event === "mode" && event["mode"] === "drive");
		await using second = await attachScreen(daemon, "t", {
			clientId: "second",
			size: { cols: 36, rows: 10 },
		});
		await using third = await attachScreen(daemon, "t", {
			clientId: "third",
			mode: "watch",
			size: { cols: 50, rows: 50 },
		});
		await second.waitForEvent((event) => event.event === "mode" && event["mode"] === "watch");
		second.socket.input(encode("echo stolen\r"));
		second.socket.resize(36, 11);
		third.socket.resize(51, 51);
		await second.waitForEvent((event) => event.event === "refused" && event["code"] === "NOT_DRIVER");
		await expect(async () =>
			daemon.service.handlers["terminal.session.input"]({ terminal: "t", data: "x" }, callContext("second")),
		).rejects.toMatchObject({ code: "NOT_DRIVER" });
		await expect(async () =>
			daemon.service.handlers["terminal.session.resize"](
				{ terminal: "t", cols: 20, rows: 20 },
				callContext("third"),
			),
		).rejects.toMatchObject({ code: "NOT_DRIVER" });
		first.socket.input(encode("stty size\r"));
		await first.screen.waitFor("30 100");
		expect(first.screen.text()).not.toContain("stolen");
		expect(size()).toBe("100x30 first");
		first.socket.close();
		await second.waitForEvent((event) => event.event === "mode" && event["mode"] === "drive");
		await daemon.waitForTerminal(
			({ cols, rows, driver }) => cols === 36 && rows === 11 && driver?.client === "second",
		);
		await using fourth = await attachScreen(daemon, "t", {
			clientId: "fourth",
			takeover: true,
			size: { cols: 90, rows: 20 },
		});
		await fourth.waitForEvent((event) => event.event === "mode" && event["mode"] === "drive");
		await daemon.waitForTerminal(({ cols, driver }) => cols === 90 && driver?.client === "fourth");
		await second.waitForEvent((event) => event.event === "size" && event["cols"] === 90);
		await second.waitForEvent(
			(event) => event.event === "mode" && event["mode"] === "watch" && event["driver"] === "fourth",
		);
	});

	test("the daemon's side dies: the shell runs on, a new one adopts it, its screen is exact", async () => {
		await using home = await createTerminalHome();
		const before = await openTerminalDaemon(home.path);
		const { terminal } = await before.service.handlers["terminal.session.start"](
			{ ...SHELL, name: "kept" },
			callContext(),
		);
		await using client = await attachScreen(before, "kept");
		client.socket.input(encode("printf '\\033[31mred\\033[m %s\\n' before; stty size\r"));
		await client.screen.waitFor("24 80");
		await before[Symbol.asyncDispose]();
		client.socket.input(encode("echo between $((1+1))\r"));
		await client.screen.waitFor("between 2");
		await using after = await openTerminalDaemon(home.path);
		expect(after.service.terminalsSnapshot().terminals).toMatchObject([
			{ terminal_id: terminal.terminal_id, name: "kept", status: "running" },
		]);
		expect(after.service.status()).toMatchObject({ state: "running", pid: home.hostPid() });
		await using again = await attachScreen(after, "kept", { clientId: "again", mode: "watch" });
		await again.screen.waitFor("between 2");
		expect(again.screen.state()).toEqual(client.screen.state());
		await after.service.stopTerminals();
		expect(after.service.counts()).toEqual({ terminals: 0 });
	});

	test("the host dies: its terminals are told as lost", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"]({ ...SHELL, name: "gone" }, callContext());
		process.kill(daemon.service.status().pid ?? 0, "SIGKILL");
		const lost = await daemon.waitForTerminal(({ status }) => status === "lost");
		expect(lost["reason"]).toMatch(/pty-host/);
		await daemon.service.handlers["terminal.session.start"]({ ...SHELL, name: "gone" }, callContext());
		expect(daemon.service.counts()).toEqual({ terminals: 1 });
	});
});
