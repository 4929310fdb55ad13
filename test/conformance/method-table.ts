import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXPERIMENTAL_METHODS, STABLE_METHODS } from "#protocol/codex/methods.generated.ts";
import type { StartServer } from "../support/codex-drive.ts";
import { LEFT_OUT } from "./intended.ts";

export interface MethodRow {
	readonly method: string;
	readonly kind: "stable" | "experimental";
	readonly served: boolean;
	readonly why: string;
}

interface Answer {
	readonly id?: number;
	readonly error?: { readonly code: number; readonly message: string };
}

/** A method that answers nothing within this is served: it waits for something. */
const ANSWER_MS = 3_000;
/** Asked last or never: they end what the others need, or open a browser's port. */
const NOT_ASKED: ReadonlySet<string> = new Set(["initialize", "account/logout", "account/login/start"]);

function reasonOf(method: string): string {
	return LEFT_OUT.find(([start]) => method.startsWith(start))?.[1] ?? "not built";
}

/** Asks every method, without what it needs, and tells the refusals of the unknown from those of the incomplete. */
export async function askMethods(start: StartServer): Promise<MethodRow[]> {
	const root = await mkdtemp(join(tmpdir(), "codex-methods-"));
	const waiting = new Map<number, (answer: Answer) => void>();
	const homes = {
		CODEX_HOME: join(root, "codex"),
		HOMIE_HOME: join(root, "homie"),
		WEAVE_HOME: join(root, "weave"),
	};
	const env = { PATH: process.env["PATH"] ?? "", HOME: root, ...homes };
	const server = await start({ cwd: root, env }, (text) => {
		const answer = JSON.parse(text) as Answer & { method?: string };
		if (answer.method === undefined && answer.id !== undefined) waiting.get(answer.id)?.(answer);
	});
	let nextId = 0;

	function ask(method: string, params: unknown): Promise<Answer> {
		const id = nextId;
		nextId += 1;
		return new Promise((resolve) => {
			const timer = setTimeout(() => resolve({}), ANSWER_MS);
			waiting.set(id, (answer) => {
				clearTimeout(timer);
				resolve(answer);
			});
			server.send(JSON.stringify({ id, method, params }));
		});
	}

	async function rowOf(method: string, kind: MethodRow["kind"]): Promise<MethodRow> {
		const answer = NOT_ASKED.has(method) ? {} : await ask(method, {});
		const served = answer.error?.code !== -32601;
		return { method, kind, served, why: served ? "" : reasonOf(method) };
	}

	try {
		const clientInfo = { name: "conformance", title: null, version: "0" };
		const greeted = ask("initialize", { clientInfo, capabilities: { experimentalApi: true } });
		server.send(JSON.stringify({ method: "initialized" }));
		await greeted;
		const rows: MethodRow[] = [];
		for (const method of STABLE_METHODS) rows.push(await rowOf(method, "stable"));
		for (const method of EXPERIMENTAL_METHODS) rows.push(await rowOf(method, "experimental"));
		return rows;
	} finally {
		await server.stop();
		await rm(root, { recursive: true, force: true });
	}
}
