// Runs every scenario against the built product (both of its backends) and the real Codex, asks every method, prints both
// tables; --write keeps them, --record takes what the real one says as golden. Exit 1 when a scenario differs that is not
// intended to.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scenarioNames } from "../support/codex-fixture.ts";
import { startCommand } from "./app-server.ts";
import { INTENDED } from "./intended.ts";
import { judge, record } from "./judge.ts";
import { askMethods } from "./method-table.ts";
import { tablesOf } from "./table.ts";

const { values: options } = parseArgs({
	options: {
		only: { type: "string" },
		write: { type: "boolean", default: false },
		record: { type: "boolean", default: false },
		"skip-real": { type: "boolean", default: false },
		"skip-cli": { type: "boolean", default: false },
	},
});
const root = join(import.meta.dirname, "../..");
const oracle = join(root, "test/oracle/node_modules/.bin/codex");
const program = process.env.WEAVE_CODEX_BIN ?? join(root, "bin/weave-codex.js");
const hasOracle = existsSync(oracle);
const ours = startCommand([process.execPath, program, "app-server"]);
const cliEnv = { HOMIE_AGENT_BACKEND: "cli", HOMIE_CODEX_BIN: oracle };
const servers = {
	real: hasOracle && !options["skip-real"] ? startCommand([oracle, "app-server"]) : undefined,
	ours,
	cli:
		hasOracle && !options["skip-cli"]
			? startCommand([process.execPath, program, "app-server"], cliEnv)
			: undefined,
};
if (!hasOracle)
	console.log("skipped  the real Codex and our backend that runs it: it is not installed (npm run oracle)");

const wanted = (name) => !options.only || options.only.split(",").some((word) => name.includes(word));

if (options.record) {
	if (!servers.real) throw new Error("--record needs the real Codex (npm run oracle)");
	for (const name of scenarioNames("scenarios").filter(wanted)) {
		await record(name, servers.real);
		console.log(`recorded ${name}`);
	}
	process.exit(0);
}

const rows = [];
for (const name of scenarioNames().filter(wanted)) {
	const verdicts = {};
	for (const [who, start] of Object.entries(servers)) if (start) verdicts[who] = await judge(name, start);
	rows.push({ name, verdicts });
	const said = Object.entries(verdicts).map(([who, { problems, runs }]) =>
		problems.length > 0
			? `${who} DIFFERS: ${problems[0]}`
			: `${who} ${runs > 1 ? "passes the second time" : "passes"}`,
	);
	console.log(`${name}\n     ${said.join("\n     ")}`);
}
const methods = options.only ? [] : await askMethods(ours, servers.real);
const failed = rows.filter(({ name, verdicts }) => verdicts.ours.problems.length > 0 && !(name in INTENDED));
console.log(
	`${rows.length - failed.length} of ${rows.length} scenarios; ${methods.filter((row) => row.served).length} of ${methods.length} methods served`,
);
if (options.write)
	writeFileSync(join(root, "docs/reference/codex-compatibility.md"), tablesOf(rows, methods));
process.exit(failed.length === 0 ? 0 : 1);
