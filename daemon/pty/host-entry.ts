import { readFileSync, rmSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { readProcessStartTime } from "#platform/process-start.ts";
import { VERSION } from "#protocol/limits.ts";
import { createPtyHost } from "./host.ts";

const LAST_BYTES_MS = 2_000;

/**
 * Process entry of the pty-host: `host-entry HOME SOCKET`. It never starts a process but PTY programs (node-pty's masters
 * would be inherited), holds no token, and ends by itself. Once it listens it writes `ready`
 * to stdout, and nothing after.
 */
async function main(home: string, socketPath: string): Promise<void> {
	const recordPath = join(home, "pty-host.json");
	const host = createPtyHost({
		readSecret: () => Buffer.from(readFileSync(join(home, "pty-host.secret"), "utf8").trim(), "hex"),
		// The build lays the worker's bundle beside this one; in the sources it is a .ts file there.
		screenWorker: new URL(
			import.meta.url.endsWith(".ts") ? "./screen-worker.ts" : "./screen-worker.js",
			import.meta.url,
		),
		version: VERSION,
		nowMs: Date.now,
		log: (line) => void process.stderr.write(`${new Date().toISOString()} ${line}\n`),
	});
	// Terminals outlive a closed window and an interrupted start; SIGTERM is for service managers and ends them.
	process.on("SIGHUP", () => undefined);
	process.on("SIGINT", () => undefined);
	await takeSocket(socketPath);
	// Not a moment readable by others; the programs keep the person's own mask.
	const mask = process.umask(0o177);
	await host.listen(socketPath);
	process.umask(mask);
	writeFileAtomic(
		recordPath,
		`${JSON.stringify({ pid: process.pid, start_time: readProcessStartTime(process.pid), version: VERSION })}\n`,
	);
	writeSync(1, "ready\n");
	const ended = await host.done;
	if (ended.length > 0) writeFileAtomic(join(home, "pty-host-ended.json"), `${JSON.stringify(ended)}\n`);
	rmSync(recordPath, { force: true });
	rmSync(socketPath, { force: true });
	// A client that does not read its last bytes cannot keep the host.
	setTimeout(() => process.exit(0), LAST_BYTES_MS);
	await host.close();
	process.exit(0);
}

/** Removes a socket that nobody listens on; a living host's is left alone and this process ends. */
function takeSocket(path: string): Promise<void> {
	return new Promise((resolve) => {
		const probe = connect(path);
		probe.once("connect", () => process.exit(75));
		probe.once("error", () => {
			rmSync(path, { force: true });
			resolve();
		});
	});
}

const [home, socketPath] = process.argv.slice(2);
if (home === undefined || socketPath === undefined) {
	process.stderr.write("usage: host-entry HOME SOCKET\n");
	process.exit(64);
}
await main(home, socketPath);
