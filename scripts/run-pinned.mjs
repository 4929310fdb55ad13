// Runs a script of ours with the pinned Node, whatever Node npm itself runs on (npm scripts during `npm ci` start on the system's).
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [script, ...args] = process.argv.slice(2);
const pinned =
	Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : require.resolve("node/bin/node");
const { status, error } = spawnSync(pinned, [script, ...args], { stdio: "inherit" });
if (error) console.error(`cannot run ${pinned}: ${error.message}`);
process.exit(status ?? 1);
