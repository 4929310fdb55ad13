import { readdirSync, readFileSync } from "node:fs";
import type { CodexScenario, Row, StartServer } from "./codex-drive.ts";
import { openTestFacade } from "./codex-facade.ts";

const FOLDER = new URL("../fixture/codex/", import.meta.url);

/** Names of the scenarios that there are golden transcripts of. */
export function scenarioNames(): string[] {
	return readdirSync(new URL("golden/", FOLDER)).map((file) => file.replace(/\.jsonl$/u, ""));
}

export function readScenario(name: string): CodexScenario {
	return JSON.parse(readFileSync(new URL(`scenarios/${name}.json`, FOLDER), "utf8")) as CodexScenario;
}

/** What the real server said in that scenario. */
export function readGolden(name: string): Row[] {
	const lines = readFileSync(new URL(`golden/${name}.jsonl`, FOLDER), "utf8")
		.trim()
		.split("\n");
	return lines.map((line) => JSON.parse(line) as Row);
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
