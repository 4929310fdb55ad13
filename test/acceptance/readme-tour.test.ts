import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProduct, NODE, type Product, ROOT, until } from "#test/support/product.ts";

/** What each command of the tour must show; the first part that a command contains names it. */
const EXPECTED: readonly (readonly [command: string, output: RegExp])[] = [
	["weave-codex start", /started \(pid \d+\)/],
	["weave-codex status", /^state +running/m],
	['exec "run ls -la"', /package\.json/],
	["where is defineMethod", /src\/protocol\/\S+:\d+/],
	["weave-codex account", /provider +offline/],
	["weave-codex models", /No models/],
	["weave-codex budget", /today/],
	["run touch made.txt", /^/],
	["chat approvals", /touch made\.txt/],
	["chat approve", /accepted/],
	["wait; rm", /^/],
	["exec --agent ada", /offline agent/],
	["weave-codex send", /git version/],
	["agent list", /#ada/],
	["homie new", /local:work/],
	["homie send", /^/],
	["homie preview", /hello from a terminal/],
	["homie ls", /local:work +running/],
	["call daemon.status", /"pid": \d+/],
	["api schema", /client_message_id/],
	["subscribe", /"type":"snapshot"/],
	["doctor", /database/],
	["weave-codex stop", /has stopped/],
];
/** What a person needs a moment for, as a condition that holds when the moment is over. */
const BEFORE: Readonly<Record<string, string>> = {
	"npx weave-codex chat approvals": "until npx weave-codex chat approvals | grep -q touch; do :; done",
	"npx homie preview work": "until npx homie preview work | grep -q '^hello'; do :; done",
};
const ATTACH = "npx homie attach";
const hasSandbox = process.platform === "linux" && spawnSync("bwrap", ["--version"]).status === 0;

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

function tourLines(): string[] {
	const tour = readme.slice(readme.indexOf("## Five minutes"), readme.indexOf("## More"));
	return [...tour.matchAll(/^```sh\n(.*?)^```$/gms)]
		.flatMap((block) => (block[1] ?? "").split("\n"))
		.filter((line) => line !== "");
}

/** One script of all lines, each announced, so that what it printed can be told apart; ends at the first failure. */
function scriptOf(lines: readonly string[]): string {
	const steps = lines.flatMap((line) => {
		const announce = `printf '\\n@@ %s\\n' '${line.replaceAll("'", "'\\''")}'`;
		const before = BEFORE[line];
		return before === undefined ? [announce, line] : [before, announce, line];
	});
	return ["set -e", ...steps].join("\n");
}

let product: Product;
beforeEach(async () => {
	product = await createProduct();
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
});

/** A checkout of its own to play in: the tour writes files where it runs. */
async function copyCheckout(): Promise<string> {
	const checkout = join(product.dir, "weave-codex");
	await mkdir(checkout);
	for (const name of ["bin", "src", "docs", "man", "package.json", "README.md"])
		await cp(join(ROOT, name), join(checkout, name), { recursive: true });
	for (const name of ["dist", "node_modules"]) await symlink(join(ROOT, name), join(checkout, name));
	// What npx does in a checkout, without npm: it runs the package's own programs.
	const npx = join(product.dir, "bin", "npx");
	await mkdir(dirname(npx));
	await writeFile(npx, `#!/bin/sh\nprogram=$1; shift\nexec "${NODE}" "${checkout}/bin/$program.js" "$@"\n`, {
		mode: 0o755,
	});
	return checkout;
}

describe("acceptance: README", () => {
	test.skipIf(!hasSandbox)(
		`every command of the tour works in order${hasSandbox ? "" : " (skipped: no bubblewrap here)"}`,
		async () => {
			const checkout = await copyCheckout();
			const all = tourLines();
			expect(all.length).toBeGreaterThan(15);
			// It needs a person at a terminal; run by itself below, with its shell ended from a pipe.
			const lines = all.filter((line) => !line.startsWith(ATTACH));
			const stop = lines.pop() ?? "";
			expect(stop).toContain("weave-codex stop");
			const unknown = [...lines, stop].filter((line) => !EXPECTED.some(([part]) => line.includes(part)));
			expect(unknown, "lines of the tour that EXPECTED does not know").toEqual([]);

			const printed = new Map<string, string>();
			function walk(script: string): void {
				const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], {
					cwd: checkout,
					env: { ...product.env, PATH: `${join(product.dir, "bin")}:${product.env["PATH"] ?? ""}` },
					encoding: "utf8",
					timeout: 110_000,
					stdio: ["ignore", "pipe", "pipe"],
				});
				expect(status, `${stdout}\n${stderr}`).toBe(0);
				for (const part of stdout.split("\n@@ ").slice(1)) {
					const end = part.indexOf("\n");
					printed.set(part.slice(0, end), part.slice(end + 1));
				}
			}
			walk(scriptOf(lines));
			const attached = product.start("homie", ["attach", "local:work"], { input: "exit 0\n" });
			expect((await attached.finished).code).toBe(0);
			await until("the shell has ended", async () =>
				(await product.homie("ls")).stdout.includes("No terminals"),
			);
			walk(scriptOf([stop]));
			for (const line of [...lines, stop]) {
				const [, output] = EXPECTED.find(([part]) => line.includes(part)) ?? ["", /^/];
				expect(printed.get(line), line).toMatch(output);
			}
			expect(existsSync(join(checkout, "made.txt"))).toBe(false);
		},
		120_000,
	);

	test("npx weave-codex works in the checkout and below it, without a network", () => {
		for (const cwd of [ROOT, join(ROOT, "docs")]) {
			const { status, stdout, stderr } = spawnSync("npx", ["weave-codex", "--version"], {
				cwd,
				env: { ...product.env, npm_config_update_notifier: "false", npm_config_offline: "true" },
				encoding: "utf8",
			});
			expect(status, stderr).toBe(0);
			expect(stdout).toMatch(/^weave-codex \d/m);
		}
	});

	test("every relative link of README, CHANGELOG and docs leads somewhere", () => {
		const pages = ["README.md", "CHANGELOG.md", "AGENTS.md", ...markdownBelow("docs")];
		const broken = pages.flatMap((page) => {
			const text = readFileSync(join(ROOT, page), "utf8").replaceAll(/^```.*?^```$/gms, "");
			return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
				.map((match) => (match[1] ?? "").split("#")[0] ?? "")
				.filter((target) => target !== "" && !/^[a-z]+:/.test(target))
				.filter((target) => !existsSync(join(ROOT, dirname(page), target)))
				.map((target) => `${page}: ${target}`);
		});
		expect(broken).toEqual([]);
	});

	test("every page below docs is in the index, or in a folder that is", () => {
		const index = readFileSync(join(ROOT, "docs/index.md"), "utf8");
		const missing = markdownBelow("docs")
			.map((page) => relative("docs", page))
			.filter((page) => page !== "index.md" && !page.startsWith("adr/") && !index.includes(`(${page})`));
		expect(missing).toEqual([]);
	});
});

function markdownBelow(folder: string): string[] {
	return readdirSync(join(ROOT, folder), { recursive: true })
		.map(String)
		.filter((path) => path.endsWith(".md"))
		.map((path) => join(folder, path));
}
