import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
	createHostFrameReader,
	encodeHostJson,
	HOST_FRAME,
	HOST_FRAME_BYTES,
	HOST_PROTOCOL,
	parseHostJson,
} from "#client/attach/host-frame.ts";
import {
	callContext,
	createTerminalHome,
	openTerminalDaemon,
	type TerminalDaemon,
} from "#test/support/terminal-daemon.ts";

interface Spoken {
	type: number;
	value: Record<string, unknown>;
}

/** Says hello and `then` to a pty-host; resolves with all it said once it has closed the link, or said `enough` frames. */
function speak(
	socketPath: string,
	hello: object,
	then: readonly Uint8Array[] = [],
	enough = Number.POSITIVE_INFINITY,
): Promise<Spoken[]> {
	const spoken: Spoken[] = [];
	const socket = connect(socketPath);
	return new Promise((resolve) => {
		const reader = createHostFrameReader(HOST_FRAME_BYTES, (type, body) => {
			if (type !== HOST_FRAME.snapshot && type !== HOST_FRAME.output)
				spoken.push({ type, value: parseHostJson(body) });
			if (spoken.length >= enough) socket.destroy();
		});
		socket.on("data", (chunk) => reader.push(chunk));
		socket.on("error", () => undefined);
		socket.on("close", () => resolve(spoken));
		socket.write(Buffer.concat([encodeHostJson(HOST_FRAME.hello, { ...HOST_PROTOCOL, ...hello }), ...then]));
	});
}

async function ticketFor(daemon: TerminalDaemon, mode: "drive" | "watch"): Promise<string> {
	const attach = daemon.service.handlers["terminal.session.attach"];
	return (
		(await attach({ terminal: "t", via: "ticket", mode, takeover: false }, callContext(`${mode}-client`)))
			.ticket ?? ""
	);
}

async function screenOf(daemon: TerminalDaemon): Promise<string> {
	const { lines } = await daemon.service.handlers["terminal.session.preview"](
		{ terminal: "t" },
		callContext(),
	);
	return lines.join("\n");
}

describe("pty-host: hostile peers", () => {
	test("sizes that no terminal has are refused, and every program lives on", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/cat"], name: "t", cols: 80, rows: 24 },
			callContext(),
		);
		const pid = home.hostPid();
		for (const [cols, rows] of [
			[0, 0],
			[-1, 5],
			[1_000_000_000, 1_000_000_000],
			[70_000, 70_000],
			[1, 1],
		]) {
			const spoken = await speak(
				daemon.paths.ptySocket,
				{ role: "attach", ticket: await ticketFor(daemon, "drive"), cols, rows, paint: "none" },
				[],
				3,
			);
			expect(spoken.at(-1)?.value, `${cols} by ${rows}`).toMatchObject({
				event: "refused",
				code: "INVALID_PARAMS",
			});
		}
		expect(home.hostPid()).toBe(pid);
		const { terminals } = await daemon.service.handlers["terminal.session.list"](
			{ all: true },
			callContext(),
		);
		expect(terminals).toMatchObject([
			{ name: "t", status: "running", cols: 80, rows: 24, driver: null, watchers: 0 },
		]);
	});

	test("a request without an id ends the link that sent it and nothing else", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/cat"], name: "t", cols: 80, rows: 24 },
			callContext(),
		);
		const secret = readFileSync(join(home.path, "pty-host.secret"), "utf8").trim();
		for (const request of [{ op: "list" }, { id: "x", op: "list" }, { id: 1.5, op: "list" }])
			await speak(daemon.paths.ptySocket, { role: "control", secret }, [
				encodeHostJson(HOST_FRAME.request, request),
			]);
		expect(await screenOf(daemon)).toBe("\n".repeat(23));
	});

	test("tickets: neither guessed, nor used twice, nor good for more than they were given for", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		await daemon.service.handlers["terminal.session.start"](
			{ argv: ["/bin/cat"], name: "t", cols: 80, rows: 24 },
			callContext(),
		);
		const { ptySocket } = daemon.paths;
		const refused = [{ value: { event: "refused", code: "AUTH_REQUIRED" } }];
		for (const ticket of ["", "0".repeat(64), "__proto__"])
			expect(await speak(ptySocket, { role: "attach", ticket })).toMatchObject(refused);
		for (const secret of ["", "00", "0".repeat(64), "zz"])
			expect(await speak(ptySocket, { role: "control", secret })).toMatchObject(refused);
		const ticket = await ticketFor(daemon, "watch");
		const typed = Buffer.concat([Buffer.from([0, 0, 0, 6, HOST_FRAME.input]), Buffer.from("evil\n")]);
		const control = encodeHostJson(HOST_FRAME.request, { id: 1, op: "kill", terminal_id: "t" });
		const spoken = await speak(
			ptySocket,
			{ role: "attach", ticket, paint: "none", mode: "drive", takeover: true },
			[typed, control],
		);
		expect(spoken.map(({ value }) => value["code"] ?? value["mode"])).toEqual([
			undefined,
			"watch",
			"NOT_DRIVER",
			"PROTOCOL_INVALID_FRAME",
		]);
		expect(await speak(ptySocket, { role: "attach", ticket })).toMatchObject(refused);
		expect((await screenOf(daemon)).trim()).toBe("");
	});

	test("what is typed into a program that closed its terminal reaches no other one", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		const {
			"terminal.session.start": start,
			"terminal.session.input": input,
			"terminal.session.resize": resize,
		} = daemon.service.handlers;
		const mark = join(home.path, "closed");
		const leave = `trap '' HUP; exec </dev/null >/dev/null 2>&1; touch ${mark}; exec sleep 60`;
		await start({ argv: ["/bin/sh", "-c", leave], name: "gone", cols: 80, rows: 24 }, callContext());
		await expect.poll(() => existsSync(mark)).toBe(true);
		const refused = { code: "TERMINAL_CLOSED" };
		const type = async (): Promise<unknown> => input({ terminal: "gone", data: "evil\n" }, callContext());
		await expect.poll(() => type().catch((error: unknown) => error)).toMatchObject(refused);
		// Whose descriptors get the numbers that became free.
		for (const name of ["t", "u", "v"])
			await start({ argv: ["/bin/cat"], name, cols: 80, rows: 24 }, callContext());
		await expect(type()).rejects.toMatchObject(refused);
		await expect(async () =>
			resize({ terminal: "gone", cols: 20, rows: 20 }, callContext()),
		).rejects.toMatchObject(refused);
		expect((await screenOf(daemon)).trim()).toBe("");
	});

	test("a program that does not read holds a bounded part of what is typed, and gets that whole later", async () => {
		await using home = await createTerminalHome();
		await using daemon = await openTerminalDaemon(home.path);
		const go = join(home.path, "go");
		const read = `stty raw -echo; echo ready; until [ -e ${go} ]; do sleep 0.05; done; head -c 3145728 | cksum > ${go}.sum`;
		const { "terminal.session.start": start, "terminal.session.input": input } = daemon.service.handlers;
		await start({ argv: ["/bin/sh", "-c", read], name: "t", cols: 80, rows: 24 }, callContext());
		await expect.poll(() => screenOf(daemon)).toContain("ready");
		const data = "0123456789abcdef".repeat(65_536);
		let taken = 0;
		const type = async (): Promise<void> => {
			await input({ terminal: "t", data }, callContext());
			taken += 1;
		};
		await expect(async () => {
			for (let at = 0; at < 20; at += 1) await type();
		}).rejects.toMatchObject({ code: "BUSY" });
		expect(taken).toBeGreaterThanOrEqual(3);
		expect(taken).toBeLessThanOrEqual(9);
		writeFileSync(go, "");
		const [sum] = execFileSync("cksum", { input: data.repeat(3), encoding: "utf8" }).split(" ");
		await daemon.waitForTerminal(({ status }) => status === "exited");
		expect(readFileSync(`${go}.sum`, "utf8")).toBe(`${sum} 3145728\n`);
	});
});
