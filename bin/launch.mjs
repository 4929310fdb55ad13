// Finds a new enough Node, then runs the bundled command line. Plain JavaScript, syntax of Node 18.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MIN_MAJOR = 24;
const GUARD = "WEAVE_CODEX_REEXEC";
const EXIT_CONFIGURATION = 78;

function pinnedNode() {
	const named = process.env.WEAVE_CODEX_NODE;
	if (named) return existsSync(named) ? named : undefined;
	const require = createRequire(import.meta.url);
	for (const name of ["node/bin/node", `node-${process.platform}-${process.arch}/bin/node`]) {
		try {
			return require.resolve(name);
		} catch {
			// Not installed; the next candidate may be.
		}
	}
	return undefined;
}

function fail(sentence) {
	process.stderr.write(`weave-codex: ${sentence}\n`);
	process.exit(EXIT_CONFIGURATION);
}

function reexec(script) {
	if (process.env[GUARD])
		fail(
			`${process.execPath} is Node ${process.versions.node}, but Node ${MIN_MAJOR} is needed. Set WEAVE_CODEX_NODE to one.`,
		);
	const node = pinnedNode();
	if (!node)
		fail(
			`Node ${MIN_MAJOR} or newer is needed and ${process.versions.node} is running. Run \`npm ci\` in the checkout, or set WEAVE_CODEX_NODE to a newer node.`,
		);
	const env = { ...process.env, [GUARD]: "1" };
	const args = [script, ...process.argv.slice(2)];
	if (typeof process.execve === "function") process.execve(node, [node, ...args], env);
	// The fourth descriptor closes when this shim dies, however it dies: a foreground daemon below it then stops.
	const child = spawn(node, args, {
		stdio: ["inherit", "inherit", "inherit", "pipe"],
		env: { ...env, WEAVE_CODEX_SHIM_FD: "3" },
	});
	// The terminal sends INT and QUIT to the whole group, so the child has them already.
	for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, () => undefined);
	for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2"]) process.on(signal, () => child.kill(signal));
	child.on("error", (error) => fail(`cannot run ${node}: ${error.message}`));
	child.on("exit", (code, signal) => {
		if (signal === null) process.exit(code ?? 1);
		process.removeAllListeners(signal);
		process.kill(process.pid, signal);
	});
}

/** Runs `program` (weave-codex or homie) and exits with its code. */
export async function launch(program, script) {
	if (Number(process.versions.node.split(".")[0]) < MIN_MAJOR) {
		reexec(script);
		return;
	}
	const bundle = new URL("../dist/cli.js", import.meta.url);
	if (!existsSync(fileURLToPath(bundle))) fail("dist/ is missing: run `npm run build` in the checkout.");
	module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "weave-codex"));
	delete process.env[GUARD];
	const { main } = await import(bundle.href);
	process.exit(await main(program, process.argv.slice(2)));
}
