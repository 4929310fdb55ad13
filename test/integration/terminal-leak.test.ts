import { execFileSync } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
	attachScreen,
	callContext,
	createTerminalHome,
	openTerminalDaemon,
} from "#test/support/terminal-daemon.ts";

function mastersOf(pid: number | "self"): string[] {
	return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
		try {
			const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
			return target.includes("ptmx") ? [target] : [];
		} catch {
			return [];
		}
	});
}

/** Lists the PTY masters that the program itself can reach, and types into each. */
const INTRUDER = `n=0; for f in /proc/$$/fd/*; do case "$(readlink $f)" in *ptmx*) n=$((n+1)); echo injected >&\${f##*/};; esac; done; echo "masters: $n"; read x`;

describe.skipIf(process.platform !== "linux")("PTY masters (needs /proc)", () => {
	test("the host alone holds them: neither its programs nor children of the daemon see one, and none can be typed into", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		const start = daemon.service.handlers["terminal.session.start"];
		for (const name of ["a", "b"])
			await start({ argv: ["/bin/cat"], name, cols: 80, rows: 24 }, callContext());
		await start({ argv: ["/bin/sh", "-c", INTRUDER], name: "intruder", cols: 80, rows: 24 }, callContext());
		await using intruder = await attachScreen(daemon, "intruder");
		await intruder.screen.waitFor("masters: 0");
		expect(mastersOf(home.hostPid() ?? 0)).toHaveLength(3);
		expect(mastersOf("self")).toEqual([]);
		const seen = execFileSync("sh", ["-c", "ls -l /proc/self/fd | grep -c ptmx || true"]).toString().trim();
		expect(seen).toBe("0");
		for (const name of ["a", "b"]) {
			const { lines } = await daemon.service.handlers["terminal.session.preview"](
				{ terminal: name },
				callContext(),
			);
			expect(lines.join("")).not.toContain("injected");
		}
	});

	test("a program's environment holds what is allowed and nothing else", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{
				argv: ["/bin/sh", "-c", "env | cut -d= -f1 | sort | tr '\\n' ' '; read x"],
				name: "env",
				cols: 200,
				rows: 24,
				env: { EDITOR: "vi", LD_PRELOAD: "/x", MY_TOKEN: "secret" },
			},
			callContext(),
		);
		await using client = await attachScreen(daemon, "env", { size: { cols: 200, rows: 24 } });
		await client.screen.waitFor("TERM");
		expect(
			client.screen
				.lines()[0]
				?.trim()
				.split(" ")
				.filter((name) => name !== "_" && name !== "SHLVL" && name !== "OLDPWD"),
		).toEqual(["COLORTERM", "EDITOR", "HOME", "HOMIE_SESSION", "LANG", "PATH", "PWD", "SHELL", "TERM"]);
	});

	test("the host's socket and secret are this user's alone, and a wrong secret or ticket is refused", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/cat"], name: "a", cols: 80, rows: 24 },
			callContext(),
		);
		const modes = execFileSync("stat", [
			"-c",
			"%a",
			daemon.paths.ptySocket,
			`${home.path}/pty-host.secret`,
			`${home.path}/pty-host.json`,
		])
			.toString()
			.trim()
			.split("\n");
		expect(modes).toEqual(["600", "600", "600"]);
		const { connectHost } = await import("#daemon/pty/host-connection.ts");
		const { openAttachSocket } = await import("#client/node/attach-socket.ts");
		const { systemClock } = await import("#base/clock.ts");
		const socketPath = daemon.paths.ptySocket;
		const ignore = (): void => undefined;
		await expect(
			connectHost({
				socketPath,
				secret: "00".repeat(32),
				clock: systemClock,
				onEvent: ignore,
				onClose: ignore,
			}),
		).rejects.toMatchObject({ code: "AUTH_REQUIRED" });
		const { ticket } = await daemon.service.handlers["terminal.session.attach"](
			{ terminal: "a", via: "ticket", mode: "drive", takeover: false },
			callContext(),
		);
		const handlers = { onSnapshot: ignore, onOutput: ignore, onEvent: ignore, onClose: ignore };
		const open = () =>
			openAttachSocket({ socketPath, ticket: ticket ?? "", size: undefined, paint: "full", handlers });
		(await open()).close();
		await expect(open()).rejects.toMatchObject({ code: "AUTH_REQUIRED" });
	});
});
