import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXPERIMENTAL_METHODS, METHODS } from "#protocol/codex/methods.generated.ts";
import type { StartServer } from "../support/codex-drive.ts";
import { readScenario, scenarioNames } from "../support/codex-fixture.ts";
import { LEFT_OUT } from "./intended.ts";
import { PROBES, type ProbePlace } from "./probes.ts";

/** One method of the protocol, asked of both servers. */
export interface MethodRow {
	readonly method: string;
	readonly kind: "stable" | "experimental";
	readonly served: boolean;
	/** A scenario that uses it, or "probe". */
	readonly askedBy: string;
	/** "result", an error's code, "silent", or "not asked". */
	readonly real: string;
	readonly ours: string;
	readonly why: string;
}

interface Answer {
	readonly id?: number;
	readonly result?: { readonly thread?: { readonly id: string } };
	readonly error?: { readonly code: number; readonly message: string };
}

/** A method that answers nothing within this waits for something, a browser say. */
const ANSWER_MS = 5_000;
const METHOD_NOT_THERE = -32601;
/** Asked of ours alone: the real server might send something to somebody, or take long. */
const OURS_ALONE: ReadonlySet<string> = new Set([
	"feedback/upload",
	"feedback/save",
	"account/sendAddCreditsNudgeEmail",
	"rollout/compress",
]);

function reasonOf(method: string): string {
	return LEFT_OUT.find(([start]) => method.startsWith(start))?.[1] ?? "not built";
}

/** Of each method, the first scenario whose client uses it. */
function usersOfMethods(): ReadonlyMap<string, string> {
	const users = new Map<string, string>([["turn/start", "simple-text"]]);
	for (const name of scenarioNames("scenarios")) {
		const { steps } = readScenario(name);
		for (const step of steps) {
			const method = "init" in step ? "initialize" : step["req"];
			if (typeof method === "string" && !users.has(method)) users.set(method, name);
		}
	}
	return users;
}

function wordOf({ result, error }: Answer): string {
	if (error !== undefined) return String(error.code);
	return result === undefined ? "silent" : "result";
}

async function makePlace(root: string) {
	const [cwd, codex] = [join(root, "work"), join(root, "codex")];
	for (const folder of [cwd, codex, join(root, "tmp")]) await mkdir(folder);
	await writeFile(join(cwd, "README.md"), "# demo\n");
	const provider = 'name = "mock"\nbase_url = "http://127.0.0.1:9/v1"\nwire_api = "responses"';
	await writeFile(
		join(codex, "config.toml"),
		`model_provider = "mock"\n[model_providers.mock]\n${provider}\n`,
	);
	const homes = { CODEX_HOME: codex, HOMIE_HOME: join(root, "homie"), WEAVE_HOME: join(root, "weave") };
	const env = { PATH: process.env["PATH"] ?? "", HOME: root, TMPDIR: join(root, "tmp"), ...homes };
	return { cwd, env };
}

/** What a server answers to every method, by its name. */
async function answersOf(
	start: StartServer,
	skip: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
	const root = await mkdtemp(join(tmpdir(), "codex-methods-"));
	const waiting = new Map<number, (answer: Answer) => void>();
	const place = await makePlace(root);
	const server = await start(place, (text) => {
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

	try {
		const clientInfo = { name: "conformance", title: null, version: "0" };
		const greeted = ask("initialize", { clientInfo, capabilities: { experimentalApi: true } });
		server.send(JSON.stringify({ method: "initialized" }));
		const answers = new Map([["initialize", wordOf(await greeted)]]);
		const started = await ask("thread/start", { cwd: place.cwd });
		answers.set("thread/start", wordOf(started));
		const about: ProbePlace = { cwd: place.cwd, threadId: started.result?.thread?.id ?? "" };
		for (const method of METHODS) {
			if (answers.has(method) || skip.has(method)) continue;
			answers.set(method, wordOf(await ask(method, PROBES[method]?.(about) ?? {})));
		}
		return answers;
	} finally {
		await server.stop();
		await rm(root, { recursive: true, force: true });
	}
}

/** Asks every method of both servers; a method that ours does not know is not served. */
export async function askMethods(ours: StartServer, real: StartServer | undefined): Promise<MethodRow[]> {
	const own = await answersOf(ours, new Set());
	const theirs = real === undefined ? undefined : await answersOf(real, OURS_ALONE);
	const users = usersOfMethods();
	const experimental: ReadonlySet<string> = new Set(EXPERIMENTAL_METHODS);
	const rowOf = (method: string, kind: MethodRow["kind"]): MethodRow => {
		const answer = own.get(method) ?? "not asked";
		const user = users.get(method);
		const served = answer !== String(METHOD_NOT_THERE);
		return {
			...{ method, kind, served },
			askedBy: user ?? "probe",
			real: theirs === undefined ? "not run" : (theirs.get(method) ?? "not asked"),
			ours: answer,
			why: served ? "" : reasonOf(method),
		};
	};
	return [
		...METHODS.filter((method) => !experimental.has(method)).map((method) => rowOf(method, "stable")),
		...EXPERIMENTAL_METHODS.map((method) => rowOf(method, "experimental")),
	];
}
