import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectLocal } from "#client/node/connect-local.ts";
import { rpcOnce } from "#client/node/rpc-once.ts";
import { resolvePaths } from "#platform/paths.ts";

let root: string;
let squatter: Server;
let asked = 0;
let daemonSocket: string;

/** Somebody was there first, with a folder and a socket of the right names. */
beforeEach(async () => {
	root = mkdtempSync(join(tmpdir(), "weave-squat-"));
	const home = join(root, "x".repeat(120));
	({ daemonSocket } = resolvePaths({ HOME: root, HOMIE_HOME: home, XDG_RUNTIME_DIR: root }));
	mkdirSync(join(daemonSocket, ".."), { mode: 0o700 });
	asked = 0;
	squatter = createServer((_request, response) => {
		asked += 1;
		response.end("{}");
	});
	await new Promise<void>((resolve) => squatter.listen(daemonSocket, resolve));
});
afterEach(async () => {
	squatter.closeAllConnections();
	await new Promise((resolve) => squatter.close(resolve));
	rmSync(root, { recursive: true, force: true });
});

async function expectRefused(): Promise<void> {
	const refused = { code: "PERMISSION_DENIED" };
	await expect(rpcOnce({ daemonSocket }, "daemon.status", {})).rejects.toMatchObject(refused);
	await using client = connectLocal({ daemonSocket }, { kind: "cli" });
	await expect(client.ready()).rejects.toMatchObject(refused);
	expect(asked).toBe(0);
}

test("socket folder: nothing is said to a socket in a folder that others may write to", async () => {
	chmodSync(join(daemonSocket, ".."), 0o777);
	await expectRefused();
	chmodSync(join(daemonSocket, ".."), 0o700);
	expect(await rpcOnce({ daemonSocket }, "daemon.status", {})).toEqual({});
});

test.skipIf(process.getuid?.() !== 0)(
	"socket folder: nothing is said in a folder of somebody else",
	async () => {
		chownSync(join(daemonSocket, ".."), 12_345, 12_345);
		await expectRefused();
	},
);

test("paths: a runtime folder that is no absolute path is passed over", () => {
	const home = join(root, "x".repeat(120));
	for (const XDG_RUNTIME_DIR of ["", "run", "./run"]) {
		const paths = resolvePaths({ HOME: root, HOMIE_HOME: home, XDG_RUNTIME_DIR });
		expect(paths.daemonSocket.startsWith(tmpdir())).toBe(true);
	}
});
