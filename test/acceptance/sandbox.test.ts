import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProduct, lines, type Product } from "#test/support/product.ts";
import { type ScriptedModel, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";

const missing = spawnSync("bwrap", ["--ro-bind", "/", "/", "true"]).status !== 0;
if (missing) console.warn("skipped: the sandbox tests need bubblewrap (apt-get install bubblewrap)");

let product: Product;
let model: ScriptedModel;

/** Tries what a command that wants out would try; one word per success. */
const ATTACK = `
for s in "$D" "$C" "$P"; do node -e 'const s=require("net").connect(process.argv[1]);s.on("connect",()=>{console.log("REACHED "+process.argv[1]);process.exit()});s.on("error",()=>process.exit())' "$s"; done
cat "$T" >/dev/null 2>&1 && echo READ-TOKEN
ls -A "$H" 2>/dev/null | grep -q . && echo LISTED-HOME
env -u T | grep -qiE 'token|WEAVE_CODEX' && echo ENV-TOKEN
echo tried
`;

describe.skipIf(missing)("acceptance: a sandboxed command", () => {
	beforeAll(async () => {
		product = await createProduct();
		model = await startScriptedModel({ responses: [] });
		writeCodexHome(product.codexHome, model.url);
		expect((await product.weave("start", "--no-tui", "--no-web")).code).toBe(0);
		await product.json("call", "terminal.session.start", "{}");
	});
	afterAll(async () => {
		await product[Symbol.asyncDispose]();
		await model[Symbol.asyncDispose]();
	});

	test.each(["read-only", "workspace-write"])(
		"%s: reaches neither daemon.sock, coord.sock nor the pty-host, and cannot read the token",
		async (sandbox) => {
			// Put together by the shell: a command that names such a path outright is refused before it could run.
			const at = (folder: string, name: string): string =>
				`$(printf %s%s ${product.dir}/ ${folder.slice(product.dir.length + 1)}/${name})`;
			const vars = `D=${at(product.home, "daemon.sock")} C=${at(product.weaveHome, "coord.sock")} P=${at(product.home, "pty.sock")} T=${at(product.home, "token")} H=${at(product.home, "")}`;
			model.push(
				{
					items: [
						{ type: "function_call", name: "exec_command", args: { cmd: `export ${vars}; ${ATTACK}` } },
					],
				},
				{ items: [{ type: "text", text: "Done." }] },
			);
			// Also from a folder that holds the homes.
			for (const cwd of [product.work, product.dir]) {
				const before = model.requests.length;
				const { code, stdout, stderr } = await product.weave(
					"exec",
					"--json",
					"-C",
					cwd,
					"--approval",
					"never",
					"--sandbox",
					sandbox,
					"try it",
				);
				expect(code, stderr).toBe(0);
				expect(model.requests.length).toBeGreaterThan(before);
				const done = lines<{ type: string; item?: { type: string; aggregatedOutput?: string } }>(stdout).find(
					(event) => event.type === "chat.item.completed" && event.item?.type === "commandExecution",
				);
				expect(done?.item?.aggregatedOutput).toBe("tried\n");
				model.push(
					{
						items: [
							{ type: "function_call", name: "exec_command", args: { cmd: `export ${vars}; ${ATTACK}` } },
						],
					},
					{ items: [{ type: "text", text: "Done." }] },
				);
			}
			const token = readFileSync(join(product.home, "token"), "utf8").trim();
			expect(JSON.stringify(model.requests)).not.toContain(token);
		},
	);
});
