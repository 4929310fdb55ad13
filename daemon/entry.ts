import { parseArgs } from "node:util";
import { resolvePaths } from "#platform/paths.ts";
import { runDaemon } from "./main.ts";

/** The daemon's own process: `daemon.js [--port N] [--no-web]`. It is started by the command line or a service unit. */
const { values } = parseArgs({
	options: { port: { type: "string" }, web: { type: "boolean", default: true } },
	allowNegative: true,
});
process.exitCode = await runDaemon({
	paths: resolvePaths(process.env),
	env: process.env,
	...(values.port === undefined ? {} : { port: Number(values.port) }),
	...(values.web ? {} : { web: false }),
});
process.exit();
