import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rpcOnce } from "#client/node/rpc-once.ts";

test("rpcOnce: says that the outcome is unknown when the daemon goes away with the call, and nothing of it when none runs", async () => {
	const folder = await mkdtemp(join(tmpdir(), "rpc-"));
	const paths = { daemonSocket: join(folder, "d.sock") };
	await expect(rpcOnce(paths, "a.b", {})).rejects.toMatchObject({
		code: "DAEMON_UNAVAILABLE",
		data: { address: paths.daemonSocket },
	});
	const server = createServer((socket) => socket.once("data", () => socket.destroy()));
	await new Promise<void>((resolve) => server.listen(paths.daemonSocket, resolve));
	await expect(rpcOnce(paths, "a.b", {}, { idempotencyKey: "k" })).rejects.toMatchObject({
		code: "DAEMON_UNAVAILABLE",
		message: expect.stringContaining("safe with an idempotency key (k)"),
		data: { method: "a.b", outcome: "unknown", idempotency_key: "k" },
	});
	await expect(rpcOnce(paths, "a.b", {})).rejects.toMatchObject({
		message: expect.stringContaining("which this call had not"),
		data: { outcome: "unknown" },
	});
	await new Promise((resolve) => server.close(resolve));
	await rm(folder, { recursive: true });
});
