import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export const EXAMPLE_SERVER = `${import.meta.dirname}/example-server.ts`;

/** The example server over HTTP on 127.0.0.1. Whoever starts it disposes it. */
export async function startHttpExample(
	env: Readonly<Record<string, string>> = {},
): Promise<{ url: string } & AsyncDisposable> {
	const child = spawn(process.execPath, [EXAMPLE_SERVER, "--http"], {
		env: { PATH: process.env["PATH"], ...env },
		stdio: ["ignore", "pipe", "inherit"],
	});
	const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
	const url = await new Promise<string>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", () => reject(new Error("the example server has ended")));
		createInterface({ input: child.stdout }).once("line", resolve);
	});
	return {
		url,
		async [Symbol.asyncDispose]() {
			child.kill("SIGKILL");
			await ended;
		},
	};
}
