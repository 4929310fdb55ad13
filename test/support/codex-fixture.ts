import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { CodexScenario, Row, StartServer } from "./codex-drive.ts";
import { openTestFacade } from "./codex-facade.ts";
import type { RequestShape } from "./codex-model-shape.ts";

const FOLDER = new URL("../fixture/codex/", import.meta.url);

/** Names of all scenarios, or of those that there are golden transcripts of. */
export function scenarioNames(kind: "scenarios" | "golden" = "golden"): string[] {
	return readdirSync(new URL(`${kind}/`, FOLDER)).map((file) => file.replace(/\.jsonl?$/u, ""));
}

export function readScenario(name: string): CodexScenario {
	return JSON.parse(readFileSync(new URL(`scenarios/${name}.json`, FOLDER), "utf8")) as CodexScenario;
}

function readLines(file: string): unknown[] {
	const text = readFileSync(new URL(file, FOLDER), "utf8").trim();
	return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
}

/** What the real server said in that scenario. */
export function readGolden(name: string): Row[] {
	return readLines(`golden/${name}.jsonl`) as Row[];
}

/** What the real server asked its model in that scenario; undefined where that was not recorded. */
export function readGoldenRequests(name: string): RequestShape[] | undefined {
	const file = `model/${name}.jsonl`;
	return existsSync(new URL(file, FOLDER)) ? (readLines(file) as RequestShape[]) : undefined;
}

/** Keeps what the real server said and asked. */
export function writeGolden(name: string, rows: readonly Row[], requests: readonly RequestShape[]): void {
	const kept = { golden: rows, model: requests };
	for (const [kind, lines] of Object.entries(kept)) {
		mkdirSync(new URL(`${kind}/`, FOLDER), { recursive: true });
		const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
		writeFileSync(new URL(`${kind}/${name}.jsonl`, FOLDER), text);
	}
}

/** The facade in this process as the server of a scenario. */
export const startInProcess: StartServer = async (homes, receive) => {
	const test = await openTestFacade(homes);
	let deliver: (text: string) => void = () => undefined;
	let closed: () => void = () => undefined;
	const nothing: Disposable = { [Symbol.dispose]: () => undefined };
	test.facade.connect({
		label: "in process",
		kind: "stdio",
		// As a pipe would: never from inside the call.
		send: (text) => queueMicrotask(() => receive(text)),
		onMessage(listener) {
			deliver = listener;
			return nothing;
		},
		onClose(listener) {
			closed = listener;
			return nothing;
		},
		close: () => undefined,
	});
	return {
		send: (text) => queueMicrotask(() => deliver(text)),
		async stop() {
			closed();
			await test[Symbol.asyncDispose]();
		},
	};
};
