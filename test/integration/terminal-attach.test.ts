import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type PtyRun, runInPty } from "#test/support/pty-run.ts";
import {
	attachScreen,
	callContext,
	createTerminalHome,
	openTerminalDaemon,
	type TerminalDaemon,
} from "#test/support/terminal-daemon.ts";

const CLIENT = fileURLToPath(new URL("../fixture/terminal/attach-client.ts", import.meta.url));

async function clientArgv(daemon: TerminalDaemon, terminal: string): Promise<[string, ...string[]]> {
	const { ticket, socket_path } = await daemon.service.handlers["terminal.session.attach"](
		{ terminal, via: "ticket", mode: "drive", takeover: true },
		callContext("attach"),
	);
	return [process.execPath, CLIENT, socket_path ?? "", ticket ?? "", terminal];
}

/** A shell of the person's own, with something on its screen, that runs the attach. */
async function openPerson(daemon: TerminalDaemon, terminal: string): Promise<PtyRun> {
	const argv = await clientArgv(daemon, terminal);
	const run = runInPty({
		argv: ["/bin/sh"],
		env: { ...process.env, PS1: "mine> ", ATTACH: argv.map((word) => `'${word}'`).join(" ") },
	});
	await run.waitForText("mine> ");
	run.send("echo my own screen\r");
	await run.waitForText(/^my own screen$/m);
	run.send(
		'before=$(stty -g); eval "$ATTACH"; echo "code $?"; [ "$before" = "$(stty -g)" ] && echo modes are the same\r',
	);
	return run;
}

describe("attach in a real terminal", () => {
	test("detach by prefix d: the program goes on, screen and modes are the person's own again", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/sh"], name: "work", cols: 80, rows: 24 },
			callContext(),
		);
		await using run = await openPerson(daemon, "work");
		await run.waitForText((screen) => screen.alternate);
		run.send("printf '\\033[?25l\\033[?1000h\\033[?1006h\\033[?2004h\\033[3 q'; echo in $((40+2))\r");
		await run.waitForText(/^in 42$/m);
		expect(run.screen.text()).not.toContain("my own screen");
		run.send("\x1dd");
		await run.waitForText("code 0");
		await run.waitForText(/^modes are the same$/m);
		expect(run.screen.alternate).toBe(false);
		expect(run.screen.text()).toContain("end: detached");
		expect(run.screen.text()).toContain("my own screen");
		const { modes, mouseEncoding, cursor } = run.screen.state();
		expect(modes).toMatchObject({ mouseTrackingMode: "none", bracketedPasteMode: false });
		expect({ mouseEncoding, visible: cursor.visible }).toEqual({ mouseEncoding: "DEFAULT", visible: true });
		expect(daemon.service.counts()).toEqual({ terminals: 1 });
	});

	test("the program's exit code is the attach's; Ctrl+C reaches the program; its own screen change does not uncover the person's", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/sh"], name: "work", cols: 80, rows: 24 },
			callContext(),
		);
		await using run = await openPerson(daemon, "work");
		await run.waitForText((screen) => screen.alternate);
		run.send("echo sleeping; sleep 1000\r");
		await run.waitForText(/^sleeping$/m);
		run.send("\x03");
		await run.waitForText((screen) => /\^C\n[#$]$/m.test(screen.text().trimEnd()));
		run.send(
			"echo below; printf '\\033[?1049h\\033[2J\\033[Hfull'; read line; printf '\\033[?1049l'; echo back\r",
		);
		await run.waitForText(/^full/m);
		expect(run.screen.alternate).toBe(true);
		run.send("\r");
		await run.waitForText(/^back$/m);
		await run.waitForText(/^below$/m);
		expect(run.screen.alternate).toBe(true);
		expect(run.screen.text()).not.toContain("my own screen");
		run.send("exit 9\r");
		await run.waitForText("code 9");
		expect(run.screen.text()).toContain("my own screen");
	});

	test("SIGTERM: the terminal is given back", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/sh"], name: "work", cols: 80, rows: 24 },
			callContext(),
		);
		await using run = runInPty({ argv: await clientArgv(daemon, "work") });
		await run.waitForText((screen) => screen.alternate && screen.text().trim() !== "");
		run.send("printf '\\033[?1003h\\033[?25l'; echo set\r");
		await run.waitForText(/^set$/m);
		run.kill("SIGTERM");
		expect(await run.exit).toMatchObject({ exitCode: 143 });
		expect(run.screen.state()).toMatchObject({
			alternate: false,
			modes: { mouseTrackingMode: "none" },
			cursor: { visible: true },
		});
	});

	test("piped: the whole output, in order, and the exit code", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{
				argv: ["/bin/sh", "-c", "stty -echo; read line; seq 200000; exit 5"],
				name: "pipe",
				cols: 80,
				rows: 24,
			},
			callContext(),
		);
		const [file, ...args] = await clientArgv(daemon, "pipe");
		const child = spawn(file, args, { stdio: ["pipe", "pipe", "ignore"] });
		child.stdin.write("go\r");
		const [output, code] = await Promise.all([
			text(child.stdout),
			new Promise((resolve) => child.once("exit", resolve)),
		]);
		const numbers = output.split("\r\n").filter((line) => /^\d+$/.test(line));
		expect(numbers).toHaveLength(200_000);
		expect(numbers.every((line, at) => line === String(at + 1))).toBe(true);
		expect(code).toBe(5);
	});

	test("no byte is lost or doubled between a snapshot and the live output of a flood", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{
				argv: ["/bin/sh", "-c", "read x; seq 300000; printf done; read x"],
				name: "flood",
				cols: 80,
				rows: 24,
			},
			callContext(),
		);
		await using driver = await attachScreen(daemon, "flood", { clientId: "driver" });
		driver.socket.input(new TextEncoder().encode("\r"));
		await using watcher = await attachScreen(daemon, "flood", { clientId: "watcher", mode: "watch" });
		await Promise.all([driver, watcher].map((client) => client.screen.waitFor("done")));
		for (const { pieces } of [driver, watcher]) {
			let next = 0;
			for (const { kind, offset, length } of pieces) {
				if (kind === "output") expect(offset).toBe(next);
				next = kind === "snapshot" ? offset : offset + length;
			}
		}
		expect(watcher.screen.state()).toEqual(driver.screen.state());
	});
});
