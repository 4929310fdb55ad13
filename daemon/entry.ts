import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { closeInheritedDescriptors } from "#platform/inherited-descriptors.ts";

closeInheritedDescriptors(process.env);

/** The daemon's own process: `daemon.js [--port N] [--no-web]`. It is started by the command line or a service unit. */
const { values } = parseArgs({
	options: { port: { type: "string" }, web: { type: "boolean", default: true } },
	allowNegative: true,
});
// Half of a start is compiling; the same folder as the command line's own (bin/launch.mjs).
enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "weave-codex"));
const [{ resolvePaths }, { runDaemon }] = await Promise.all([
	import("#platform/paths.ts"),
	import("./main.ts"),
]);
process.exitCode = await runDaemon({
	paths: resolvePaths(process.env),
	env: process.env,
	...(values.port === undefined ? {} : { port: Number(values.port) }),
	...(values.web ? {} : { web: false }),
});
process.exit();
