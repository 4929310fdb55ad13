import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { createCoordSocket } from "#daemon/transport/uds/create-coord-socket.ts";
import { openTestBus, quietTelemetry } from "#test/support/bus.ts";
import { fuzzCoord } from "#test/support/fuzz/coord.ts";
import { fuzzPtyHost } from "#test/support/fuzz/pty-host.ts";
import { createRandom } from "#test/support/fuzz/random.ts";
import { createMemoryLogger } from "#test/support/logger.ts";
import { callContext, createTerminalHome, openTerminalDaemon } from "#test/support/terminal-daemon.ts";
import { failureOf, joinAsAgent, requestOnce } from "#test/support/weave-client.ts";

const SEED = Number(process.env["WEAVE_FUZZ_SEED"] ?? 20_260_102);

test(`coord.sock: gives each of 3000 broken lines a code, and those who behave notice nothing (seed ${SEED})`, async () => {
	const folder = await mkdtemp(join(tmpdir(), "coord-"));
	const path = join(folder, "coord.sock");
	const logger = createMemoryLogger();
	await using bus = await openTestBus();
	{
		await using socket = await createCoordSocket({
			path,
			bus: bus.bus,
			clock: systemClock,
			logger,
			telemetry: quietTelemetry,
		});
		await using friend = await joinAsAgent({ path, session: "default", name: "friend" });
		const before = await requestOnce(path, { type: "agent.list", src: "test", session: "default" });
		const { ends } = await fuzzCoord(path, createRandom(SEED), 3_000);
		expect(ends).toBeGreaterThan(0);
		const after = await requestOnce(path, { type: "agent.list", src: "test", session: "default" });
		expect(after["payload"]).toEqual(before["payload"]);
		expect(failureOf(await friend.request({ type: "session.list" }))).toBeUndefined();
		await expect.poll(() => socket.connections).toBe(1);
		expect(logger.lines.filter(({ level }) => level === "error")).toEqual([]);
	}
	await rm(folder, { recursive: true, force: true });
});

test(`pty-host: lets none of 400 strangers in, and its terminals live on (seed ${SEED})`, async () => {
	await using home = await createTerminalHome();
	await using daemon = await openTerminalDaemon(home.path);
	const { handlers } = daemon.service;
	await handlers["terminal.session.start"](
		{ argv: ["/bin/cat"], name: "kept", cols: 80, rows: 24 },
		callContext(),
	);
	const before = await handlers["terminal.session.list"]({ all: false }, callContext());
	const pid = home.hostPid();
	await fuzzPtyHost(daemon.paths.ptySocket, createRandom(SEED), 400);
	expect(home.hostPid()).toBe(pid);
	expect(await handlers["terminal.session.list"]({ all: false }, callContext())).toEqual(before);
	expect(before.terminals).toMatchObject([{ name: "kept", status: "running" }]);
	await handlers["terminal.session.input"]({ terminal: "kept", data: "still here\r" }, callContext());
	await expect
		.poll(async () =>
			(await handlers["terminal.session.preview"]({ terminal: "kept" }, callContext())).lines.join("\n"),
		)
		.toContain("still here");
});
