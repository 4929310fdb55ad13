import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { NODE, ROOT } from "../support/product.ts";
import type { ScriptedResponse } from "../support/scripted-model.ts";

/** A scripted model in a process of its own, so that its work is in nobody's time; one per side. */
export async function startModelProcess(
	dir: string,
	name: string,
	responses: readonly ScriptedResponse[],
): Promise<AsyncDisposable & { readonly url: string }> {
	const scenario = join(dir, `${name}.json`);
	await writeFile(scenario, JSON.stringify({ responses }));
	const source = join(ROOT, "test/support/scripted-model.ts");
	const child = spawn(NODE, [source, "--scenario", scenario], { stdio: ["ignore", "pipe", "inherit"] });
	const exited = once(child, "exit");
	const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
	return {
		url,
		async [Symbol.asyncDispose]() {
			child.kill("SIGTERM");
			await exited;
		},
	};
}
