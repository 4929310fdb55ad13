// Runs every scenario against the built product and the real Codex, asks every method, prints both tables; --write keeps them.
// Exit 1 when a scenario differs that is not intended to.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareTranscripts } from "../support/codex-compare.ts";
import { driveScenario } from "../support/codex-drive.ts";
import { readGolden, readScenario, scenarioNames } from "../support/codex-fixture.ts";
import { startCommand } from "./app-server.ts";
import { INTENDED } from "./intended.ts";
import { askMethods } from "./method-table.ts";

const { values: options } = parseArgs({
	options: {
		only: { type: "string" },
		write: { type: "boolean", default: false },
		"skip-real": { type: "boolean", default: false },
	},
});
const root = join(import.meta.dirname, "../..");
const oracle = join(root, "test/oracle/node_modules/.bin/codex");
const program = process.env.WEAVE_CODEX_BIN ?? join(root, "bin/weave-codex.js");
const ours = startCommand([process.execPath, program, "app-server"]);
const real = existsSync(oracle) && !options["skip-real"] ? startCommand([oracle, "app-server"]) : undefined;
if (!real) console.log("skipped  the real Codex: it is not installed (npm run oracle), or was not asked for");

async function judge(name, start) {
	try {
		return compareTranscripts(readGolden(name), await driveScenario(readScenario(name), start));
	} catch (error) {
		return [`the scenario did not get to its end: ${error instanceof Error ? error.message : error}`];
	}
}

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ").slice(0, 160);
const rows = [];
for (const name of scenarioNames().filter((one) => !options.only || one.includes(options.only))) {
	const [own, theirs] = [await judge(name, ours), real ? await judge(name, real) : undefined];
	const verdict = own.length === 0 ? "same" : (INTENDED[name] ?? `differs: ${own[0]}`);
	const word = (problems) =>
		problems === undefined ? "not run" : problems.length === 0 ? "pass" : "differs";
	rows.push({
		name,
		real: word(theirs),
		ours: word(own),
		verdict,
		failed: own.length > 0 && !(name in INTENDED),
	});
	console.log(`${rows.at(-1).failed ? "FAIL" : "pass"} ${name}${own.length > 0 ? `: ${own[0]}` : ""}`);
}
const methods = options.only ? [] : await askMethods(ours);
const failed = rows.filter((row) => row.failed);
console.log(
	`${rows.length - failed.length} of ${rows.length} scenarios; ${methods.filter((row) => row.served).length} of ${methods.length} methods served`,
);

if (options.write) {
	const text = [
		"# Codex compatibility",
		"",
		"Written by `npm run conformance -- --write`, which runs both servers. The protocol is that of codex-cli 0.169.0.",
		"",
		"## Scenarios",
		"",
		"Compared with what the real server said when the scenario was recorded: order of events, members, determined values.",
		"",
		"| scenario | real | ours | verdict |",
		"|---|---|---|---|",
		...rows.map((row) => `| ${row.name} | ${row.real} | ${row.ours} | ${cell(row.verdict)} |`),
		"",
		"## Methods",
		"",
		"| method | kind | served | why not |",
		"|---|---|---|---|",
		...methods.map(
			(row) => `| \`${row.method}\` | ${row.kind} | ${row.served ? "yes" : "no"} | ${row.why} |`,
		),
		"",
	];
	writeFileSync(join(root, "docs/reference/codex-compatibility.md"), text.join("\n"));
}
process.exit(failed.length === 0 ? 0 : 1);
