import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { at, fill, type ScenarioModel, startScenarioModel } from "./codex-drive-model.ts";
import type { ScriptedModel, ScriptedRequest } from "./scripted-model.ts";

export type Json = { [member: string]: unknown };
/** `->` what the client sent, `<-` what the server sent, `--` a restart. */
export type Row = { dir: "->" | "<-" | "--"; msg: Json };

/** A scenario file: what the model says, what the client does, how it answers requests of the server. */
export interface CodexScenario {
	config?: string;
	providerConfig?: string;
	files?: Record<string, string>;
	homeFiles?: Record<string, unknown>;
	/** Base64. */
	binaryFiles?: Record<string, string>;
	/** False: the folder is no repository. */
	git?: boolean;
	/** Of the server, beside those of the driver. */
	env?: Record<string, string>;
	args?: string[];
	settleMs?: number;
	mock: ScenarioModel;
	approvals?: { method: string; result: unknown; delayMs?: number }[];
	steps: Json[];
}

/** A running server, from the client's side. */
export interface ServerEnd {
	send(text: string): void;
	/** Ends it; resolves when it is gone. */
	stop(): Promise<void>;
}

export interface Homes {
	readonly cwd: string;
	readonly env: Readonly<Record<string, string>>;
	/** Further words of the server's command line. */
	readonly args?: readonly string[];
}

/** Everything that was said in a scenario, in order, and what the model was asked. */
export interface Driven {
	readonly rows: Row[];
	readonly requests: readonly ScriptedRequest[];
	readonly homes: Homes;
}

/** Starts the server under test in these homes; called again where the scenario restarts it. */
export type StartServer = (homes: Homes, receive: (text: string) => void) => Promise<ServerEnd>;

const WAIT_MS = 30_000;
/** Between a step's answer and the next step, so that what the step causes is told before the next one acts. */
const SETTLE_MS = 60;
async function writeAll(folder: string, files: Readonly<Record<string, unknown>>): Promise<void> {
	for (const [name, content] of Object.entries(files)) {
		const path = join(folder, name);
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
	}
}

async function commitAll(cwd: string): Promise<void> {
	const who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
	const commands = [
		["init", "-q", "-b", "main"],
		["add", "-A"],
		["commit", "-q", "--allow-empty", "-m", "init"],
	];
	for (const command of commands) await promisify(execFile)("git", [...who, ...command], { cwd });
}

async function makeHomes(root: string, scenario: CodexScenario, url: string): Promise<Homes> {
	const cwd = join(root, "work");
	const codexHome = join(root, "codex");
	await mkdir(cwd, { recursive: true });
	await writeAll(cwd, scenario.files ?? { "README.md": "# demo\n" });
	for (const [name, base64] of Object.entries(scenario.binaryFiles ?? {}))
		await writeFile(join(cwd, name), Buffer.from(base64, "base64"));
	if (scenario.git !== false) await commitAll(cwd);
	const provider = `[model_providers.mock]\nname = "mock"\nbase_url = "${url}"\nwire_api = "responses"`;
	const toml = `model_provider = "mock"\n${scenario.config ?? ""}\n${provider}\nrequires_openai_auth = false\n`;
	await writeAll(codexHome, { "config.toml": toml + (scenario.providerConfig ?? ""), ...scenario.homeFiles });
	// Not the system's: the real server keeps its helpers out of every temporary folder, and the homes are in one.
	const tmp = join(root, "tmp");
	await mkdir(tmp);
	const homes = {
		HOME: root,
		TMPDIR: tmp,
		CODEX_HOME: codexHome,
		HOMIE_HOME: join(root, "homie"),
		WEAVE_HOME: join(root, "weave"),
	};
	const env = {
		PATH: process.env["PATH"] ?? "",
		LANG: "C.UTF-8",
		SHELL: "/bin/bash",
		USER: "user",
		...homes,
	};
	const known = { CWD: cwd, CODEX_HOME: codexHome, MOCK: url };
	const more = fill(scenario.env ?? {}, known) as Record<string, string>;
	return { cwd, env: { ...env, ...more }, args: scenario.args ?? [] };
}

/** The client of a scenario: sends, keeps what comes, answers what it is asked. */
function createClient(scenario: CodexScenario, rows: Row[]) {
	const answers = new Map<unknown, (message: Json) => void>();
	let inbox: Json[] = [];
	let watchers: (() => void)[] = [];
	let approvals = [...(scenario.approvals ?? [])];
	let asked: Json | undefined;
	let nextId = 0;
	let server: ServerEnd | undefined;

	function send(msg: Json): void {
		rows.push({ dir: "->", msg });
		server?.send(JSON.stringify(msg));
	}

	function answerServer(message: Json): void {
		asked = message;
		const index = approvals.findIndex(({ method }) => method === message["method"]);
		if (index < 0) return;
		const [approval] = approvals.splice(index, 1);
		setTimeout(() => send({ id: message["id"], result: approval?.result }), approval?.delayMs ?? 20);
	}

	return {
		connect(end: ServerEnd): void {
			server = end;
			inbox = [];
			nextId = 0;
		},
		receive(text: string): void {
			const message = JSON.parse(text) as Json;
			rows.push({ dir: "<-", msg: message });
			if (message["method"] === undefined) {
				answers.get(message["id"])?.(message);
				return;
			}
			if (message["id"] !== undefined) answerServer(message);
			inbox.push(message);
			for (const watcher of watchers) watcher();
		},
		notify: (method: string, params?: unknown) =>
			send(params === undefined ? { method } : { method, params }),
		/** Answers the request of the server that came last. */
		reply: (result: unknown) => send({ id: asked?.["id"], result }),
		expectApprovals(next: CodexScenario["approvals"]): void {
			approvals = [...(next ?? [])];
		},
		get mark() {
			return inbox.length;
		},
		request(method: string, params: unknown, ms = WAIT_MS): Promise<Json> {
			const id = nextId;
			nextId += 1;
			const answered = Promise.withResolvers<Json>();
			answers.set(id, answered.resolve);
			send(params === undefined ? { id, method } : { id, method, params });
			return within(answered.promise, ms, method);
		},
		/** Resolves with the first such message from `from` on and the place behind it. */
		wait(
			test: (message: Json) => boolean,
			from: number,
			ms: number,
		): Promise<{ behind: number; message: Json }> {
			const found = Promise.withResolvers<{ behind: number; message: Json }>();
			const look = (): void => {
				const index = inbox.findIndex((message, place) => place >= from && test(message));
				const message = inbox[index];
				if (message === undefined) return;
				watchers = watchers.filter((watcher) => watcher !== look);
				found.resolve({ behind: index + 1, message });
			};
			watchers.push(look);
			look();
			return within(found.promise, ms, "a notification");
		},
	};
}

function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
	const late = pause(ms, undefined, { ref: false }).then(() =>
		Promise.reject(new Error(`no ${what} in ${ms} ms`)),
	);
	return Promise.race([work, late]);
}

interface Stage {
	client: ReturnType<typeof createClient>;
	model: ScriptedModel;
	known: Json;
	/** Where waiting begins. */
	mark: number;
	cwd: string;
	restart(): Promise<void>;
}

async function takeTurn(step: Json, stage: Stage): Promise<void> {
	const { client, known } = stage;
	stage.mark = client.mark;
	const threadId = at(known, `r.${step["thread"] ?? "thread"}.thread.id`);
	const input = [{ type: "text", text: step["turn"], text_elements: [] }];
	const params = { threadId, input, ...(fill(step["params"] ?? {}, known) as Json) };
	const answer = await client.request("turn/start", params);
	(known["r"] as Json)["turn"] = answer["result"];
	if (answer["error"]) throw new Error(JSON.stringify(answer["error"]));
	if (step["noWait"]) return;
	const turnId = at(answer, "result.turn.id");
	const over = (message: Json): boolean =>
		message["method"] === "turn/completed" && at(message, "params.turn.id") === turnId;
	await client.wait(over, stage.mark, Number(step["timeoutMs"] ?? WAIT_MS));
	await pause(Number(step["settleMs"] ?? SETTLE_MS));
	stage.mark = client.mark;
}

async function sayHello(step: Json, { client }: Stage): Promise<void> {
	const capabilities = { experimentalApi: step["experimental"] ?? false, requestAttestation: false };
	const clientInfo = { name: "golden_driver", title: "Golden driver", version: "0.0.1" };
	await client.request("initialize", {
		clientInfo,
		capabilities: { ...capabilities, ...(step["caps"] ?? {}) },
	});
	client.notify("initialized");
	await pause(SETTLE_MS);
}

async function takeRequest(step: Json, { client, known }: Stage): Promise<void> {
	const method = String(step["req"]);
	const sent = client.request(method, fill(step["params"], known), Number(step["timeoutMs"] ?? WAIT_MS));
	if (step["noWait"]) {
		sent.catch(() => undefined);
		return;
	}
	const answer = await sent;
	if (step["as"]) (known["r"] as Json)[String(step["as"])] = answer["result"] ?? answer["error"];
	if (answer["error"] && !step["expectError"])
		throw new Error(`${method}: ${JSON.stringify(answer["error"])}`);
	await pause(SETTLE_MS);
}

async function takeWait(step: Json, stage: Stage): Promise<void> {
	const wanted = Object.entries((step["where"] ?? {}) as Json);
	const test = (message: Json): boolean =>
		message["method"] === step["wait"] &&
		wanted.every(([path, value]) => at(message["params"], path) === fill(value, stage.known));
	const from = step["fromStart"] ? 0 : stage.mark;
	const { behind, message } = await stage.client.wait(test, from, Number(step["timeoutMs"] ?? WAIT_MS));
	stage.mark = behind;
	if (step["as"]) (stage.known["r"] as Json)[String(step["as"])] = message["params"];
}

async function takeStep(step: Json, stage: Stage): Promise<void> {
	if ("req" in step) await takeRequest(step, stage);
	else if ("turn" in step) await takeTurn(step, stage);
	else if ("wait" in step) await takeWait(step, stage);
	else if ("init" in step) await sayHello(step, stage);
	else if ("notify" in step) stage.client.notify(String(step["notify"]), fill(step["params"], stage.known));
	else if ("reply" in step) stage.client.reply(step["reply"]);
	else if ("approvals" in step) stage.client.expectApprovals(step["approvals"] as CodexScenario["approvals"]);
	else if ("sleep" in step) await pause(Number(step["sleep"]));
	else if ("release" in step) stage.model.release(String(step["release"]));
	else if ("waitPaused" in step) await stage.model.paused(String(step["waitPaused"]));
	else if ("restart" in step) await stage.restart();
	else if ("write" in step) await writeFile(join(stage.cwd, String(step["write"])), String(step["content"]));
	else throw new Error(`unknown step ${JSON.stringify(step)}`);
}

/** Takes a server through a scenario; everything that was said, in order. Homes and model are gone afterwards. */
export async function driveScenario(scenario: CodexScenario, start: StartServer): Promise<Driven> {
	const root = await mkdtemp(join(tmpdir(), "codex-drive-"));
	const rows: Row[] = [];
	const known: Json = { CWD: join(root, "work"), CODEX_HOME: join(root, "codex"), r: {} };
	const model = await startScenarioModel(scenario.mock, known);
	known["MOCK"] = model.url;
	const client = createClient(scenario, rows);
	const homes = await makeHomes(root, scenario, model.url);
	let server = await start(homes, client.receive);
	try {
		client.connect(server);
		const stage: Stage = {
			...{ client, model, known, mark: 0, cwd: homes.cwd },
			async restart() {
				await server.stop();
				rows.push({ dir: "--", msg: { event: "server restarted" } });
				server = await start(homes, client.receive);
				client.connect(server);
				stage.mark = 0;
			},
		};
		for (const step of scenario.steps) await takeStep(step, stage);
		await pause(scenario.settleMs ?? SETTLE_MS);
	} finally {
		await server.stop();
		await model.close();
		await rm(root, { recursive: true, force: true });
	}
	return { rows, requests: model.requests, homes };
}
