// Bundles every entry to dist/ with shared chunks; native and worker-loading packages stay outside.

import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";

const { values: options } = parseArgs({
	options: { out: { type: "string", default: "dist" }, only: { type: "string" } },
});

const entries = {
	cli: "src/cli/main.ts",
	"code-worker": "daemon/agent/code-mode/worker-entry.ts",
	daemon: "daemon/entry.ts",
	doctor: "daemon/lifecycle/doctor.ts",
	"pty-host": "daemon/pty/host-entry.ts",
	"screen-worker": "daemon/pty/screen-worker.ts",
	"store-writer": "daemon/storage/writer-entry.ts",
	tui: "tui/entry.tsx",
};
const present = Object.fromEntries(
	Object.entries(entries).filter(
		([name, file]) => existsSync(file) && (!options.only || options.only.split(",").includes(name)),
	),
);
/**
 * Importing node:http as a module reads every member of it, WebSocket among them, which loads all of undici (25 ms and
 * 4 MB in Node 24). Asked for as a builtin it costs nothing.
 */
const HTTP = "\0http-without-undici";
const HTTP_NAMES = ["Agent", "IncomingMessage", "STATUS_CODES", "ServerResponse", "createServer", "request"];
const httpWithoutUndici = {
	name: "http-without-undici",
	resolveId: (id) => (id === "node:http" ? HTTP : null),
	load: (id) =>
		id === HTTP ? `export const { ${HTTP_NAMES.join(", ")} } = process.getBuiltinModule("node:http");` : null,
};
const started = performance.now();
// Written beside and swapped in, so that a program started meanwhile finds either the old or the new one whole.
const fresh = `${options.out}.new-${process.pid}`;
const bundle = await rolldown({
	input: present,
	platform: "node",
	external: ["node-pty", "react-devtools-core"],
	transform: { define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"' } },
	treeshake: true,
	plugins: [httpWithoutUndici],
	onLog(level, log, handler) {
		if (log.code !== "EVAL") handler(level, log);
	},
});
await bundle.write({
	dir: fresh,
	format: "esm",
	entryFileNames: "[name].js",
	chunkFileNames: "chunk/[name]-[hash].js",
	minify: false,
});
await bundle.close();
const old = `${options.out}.old-${process.pid}`;
await rename(options.out, old).catch(() => undefined);
await rename(fresh, options.out);
await rm(old, { recursive: true, force: true });
console.log(`built ${Object.keys(present).join(", ")} in ${Math.round(performance.now() - started)} ms`);
