import { createInterface } from "node:readline";
import type { CodexLink } from "#daemon/codex/link.ts";
import { openTestFacade } from "./codex-facade.ts";

/** `node test/support/codex-stdio.ts`: the test facade as an app-server command on stdin and stdout. */
const env = Object.fromEntries(
	Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);
const { facade, logger, ...rest } = await openTestFacade({ env, cwd: process.cwd() });
const lines = createInterface({ input: process.stdin });
let closed = (): void => undefined;
const link: CodexLink = {
	label: "stdio",
	kind: "stdio",
	send: (text) => void process.stdout.write(`${text}\n`),
	onMessage(listener) {
		lines.on("line", listener);
		return { [Symbol.dispose]: () => void lines.off("line", listener) };
	},
	onClose(listener) {
		closed = listener;
		return { [Symbol.dispose]: () => undefined };
	},
	close: () => lines.close(),
};
facade.connect(link);
await new Promise<void>((resolve) => lines.once("close", resolve));
closed();
await rest[Symbol.asyncDispose]();
for (const { level, message, fields } of logger.lines) {
	if (level !== "debug") process.stderr.write(`${level} ${message} ${JSON.stringify(fields)}\n`);
}
process.exit(0);
