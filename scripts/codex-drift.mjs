// Names what another Codex adds, removes and changes:
// `node scripts/codex-drift.mjs [--codex PATH] [--if-installed] [--experimental] [--json]`. Exit 0 without drift, 1 with.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareSurfaces, generateTypes, parseSchema, surfaceOf } from "./codex-schema.mjs";

const { values } = parseArgs({
	options: {
		codex: { type: "string", default: "codex" },
		"if-installed": { type: "boolean", default: false },
		experimental: { type: "boolean", default: false },
		json: { type: "boolean", default: false },
	},
});
if (values["if-installed"] && !existsSync(values.codex)) {
	console.log(`skipped: ${values.codex} is not installed (npm run oracle)`);
	process.exit(0);
}
const surfaces = JSON.parse(
	readFileSync(join(import.meta.dirname, "../src/protocol/codex/surface.generated.json"), "utf8"),
);
const { experimental } = values;
const installed = surfaceOf(parseSchema(generateTypes(values.codex, { experimental })));
const drift = compareSurfaces(experimental ? surfaces.experimental : surfaces.stable, installed);
const rows = [
	...drift.added.map(({ kind, method }) => `added    ${kind} ${method}`),
	...drift.removed.map(({ kind, method }) => `removed  ${kind} ${method}`),
	...drift.changed.map(({ kind, method, parts }) => `changed  ${kind} ${method} (${parts.join("; ")})`),
];
if (values.json) console.log(JSON.stringify(drift));
else console.log(rows.length === 0 ? `no drift: ${values.codex} speaks what is committed` : rows.join("\n"));
process.exit(rows.length === 0 ? 0 : 1);
