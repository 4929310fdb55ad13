// Runs every row, prints a table, and with --write puts it in docs/performance.md. --only WORD picks rows, --quick takes one round.
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { median } from "./bench.ts";
import { rows } from "./row/index.ts";
import { runMs } from "./row/startup.ts";

const { values: options } = parseArgs({
	options: {
		only: { type: "string" },
		quick: { type: "boolean", default: false },
		write: { type: "boolean", default: false },
	},
});
const rounds = options.quick ? 1 : 5;
const baselines = [];
for (let round = 0; round < 15; round += 1) baselines.push(await runMs(["-e", "0"]));
const nodeMs = median(baselines);
console.log(
	`node -e 0: ${nodeMs.toFixed(1)} ms (median of ${baselines.length}); Node ${process.versions.node}; ${cpus().length} × ${cpus()[0]?.model}`,
);

const table = ["| what | bar | ours | baseline | measured | verdict |", "|---|---|---|---|---|---|"];
let missed = 0;
for (const row of rows.filter((row) => !options.only || row.name.includes(options.only))) {
	const available = row.available?.() ?? true;
	if (available !== true) {
		console.log(`skipped  ${row.name}: ${available}`);
		table.push(`| ${row.name} | ${row.bar} | - | - | - | not measured: ${available} |`);
		continue;
	}
	try {
		const { ours, baseline, value, unit, ok, note } = await row.measure({ rounds, nodeMs });
		if (!ok) missed += 1;
		const line = `| ${row.name} | ${row.bar} | ${ours} | ${baseline} | ${value.toFixed(value < 10 ? 2 : 0)} ${unit} | ${ok ? "met" : "**missed**"}${note ? `; ${note}` : ""} |`;
		table.push(line);
		console.log(line);
	} catch (error) {
		missed += 1;
		table.push(`| ${row.name} | ${row.bar} | - | - | - | failed: ${error.message.split("\n")[0]} |`);
		console.log(`failed   ${row.name}: ${error.stack}`);
	}
}
if (options.write) {
	const head = `# Performance\n\nWritten by \`npm run bench -- --write\`, on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform}.\nEvery ratio is to a baseline taken in the same run, interleaved with ours; ${rounds === 1 ? "one round (`--quick`)" : `medians of ${rounds} rounds or more`}. \`node -e 0\` took ${nodeMs.toFixed(1)} ms.\n\n`;
	writeFileSync("docs/performance.md", `${head}${table.join("\n")}\n`);
}
console.log(missed === 0 ? "every row met its bar" : `${missed} row(s) missed or failed`);
process.exit(0);
