import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProduct, lines, NODE, type Product } from "#test/support/product.ts";
import { type ScriptedModel, startScriptedModel, writeCodexHome } from "#test/support/scripted-model.ts";

const missing = spawnSync("bwrap", ["--ro-bind", "/", "/", "true"]).status !== 0;
if (missing) console.warn("skipped: the sandbox tests need bubblewrap (apt-get install bubblewrap)");

let product: Product;
let model: ScriptedModel;

/** Tries what a command that wants out would try; says a word for each success. Paths come from a file, so that policy lets it run. */
const ATTACK = `
const { readFileSync, readdirSync } = require("node:fs");
const { connect } = require("node:net");
const { home, sockets, token } = JSON.parse(readFileSync("places.json", "utf8"));
const tried = (word, run) => { try { if (run()) console.log(word); } catch {} };
tried("READ-TOKEN", () => readFileSync(token, "utf8"));
tried("LISTED-HOME", () => readdirSync(home).length > 0);
tried("ENV-TOKEN", () => /token|HOMIE_HOME|WEAVE_HOME/i.test(Object.keys(process.env).join()));
tried("PROC-ENV", () => readdirSync("/proc").some((pid) => { try { return readFileSync("/proc/" + pid + "/environ", "latin1").includes(home); } catch { return false; } }));
let open = sockets.length;
const over = () => { if (--open === 0) console.log("tried"); };
for (const path of sockets) {
	const socket = connect(path);
	socket.on("connect", () => { console.log("REACHED " + path); socket.destroy(); over(); });
	socket.on("error", over);
}
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
			// Also from a folder that holds the homes.
			for (const cwd of [product.work, product.dir]) {
				const places = {
					home: product.home,
					token: join(product.home, "token"),
					sockets: [
						join(product.home, "daemon.sock"),
						join(product.weaveHome, "coord.sock"),
						join(product.home, "pty.sock"),
					],
				};
				for (const path of places.sockets) expect(existsSync(path), path).toBe(true);
				writeFileSync(join(cwd, "places.json"), JSON.stringify(places));
				writeFileSync(join(cwd, "attack.cjs"), ATTACK);
				// The pinned Node may lie in /tmp, of which a command sees its own folder only.
				copyFileSync(NODE, join(cwd, "node"));
				model.push(
					{
						items: [
							{
								type: "function_call",
								name: "exec_command",
								args: { cmd: "./node attack.cjs", login: false },
							},
						],
					},
					{ items: [{ type: "text", text: "Done." }] },
				);
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
				const done = lines<{ type: string; item?: { type: string; aggregatedOutput?: string } }>(stdout).find(
					(event) => event.type === "chat.item.completed" && event.item?.type === "commandExecution",
				);
				expect(done?.item?.aggregatedOutput, JSON.stringify(model.requests.at(-1)?.body)).toBe("tried\n");
			}
			const token = readFileSync(join(product.home, "token"), "utf8").trim();
			expect(JSON.stringify(model.requests)).not.toContain(token);
		},
	);

	test("the same attack outside of the sandbox succeeds, so what it says inside means something", () => {
		const { stdout } = spawnSync(NODE, ["attack.cjs"], { cwd: product.work, encoding: "utf8" });
		for (const word of ["READ-TOKEN", "LISTED-HOME", "PROC-ENV", "daemon.sock", "coord.sock", "pty.sock"])
			expect(stdout).toContain(word);
	});
});
