import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstallationMethods } from "#daemon/codex/method.ts";
import type { Json } from "#test/support/codex-drive.ts";
import { openTestFacade, type TestFacade } from "#test/support/codex-facade.ts";
import {
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
} from "#test/support/scripted-model.ts";

/** One client of the facade under test. */
export interface MemoryClient {
	/** Everything that came, in order. */
	readonly inbox: Json[];
	request(method: string, params?: unknown): Promise<Json>;
	hello(capabilities?: Json, name?: string): Promise<Json>;
	send(message: unknown): void;
	/** The first message that fits, past or future. */
	until(test: (message: Json) => boolean): Promise<Json>;
	told(method: string): Promise<Json>;
	leave(): void;
}

export interface Bench extends AsyncDisposable {
	readonly test: TestFacade;
	readonly model: ScriptedModel;
	readonly cwd: string;
	client(): MemoryClient;
}

function createClient({ facade }: TestFacade): MemoryClient {
	const inbox: Json[] = [];
	const watchers = new Set<() => void>();
	let deliver: (text: string) => void = () => undefined;
	let closed: () => void = () => undefined;
	let nextId = 0;
	const nothing: Disposable = { [Symbol.dispose]: () => undefined };
	facade.connect({
		...{ label: "memory", kind: "stdio", close: () => undefined },
		send(text) {
			inbox.push(JSON.parse(text) as Json);
			for (const watcher of watchers) watcher();
		},
		onMessage(listener) {
			deliver = listener;
			return nothing;
		},
		onClose(listener) {
			closed = listener;
			return nothing;
		},
	});

	function until(test: (message: Json) => boolean): Promise<Json> {
		const found = Promise.withResolvers<Json>();
		const look = (): void => {
			const hit = inbox.find(test);
			if (hit === undefined) return;
			watchers.delete(look);
			found.resolve(hit);
		};
		watchers.add(look);
		look();
		return found.promise;
	}

	const client: MemoryClient = {
		inbox,
		until,
		send: (message) => deliver(typeof message === "string" ? message : JSON.stringify(message)),
		request(method, params) {
			nextId += 1;
			const id = `r${nextId}`;
			client.send(params === undefined ? { id, method } : { id, method, params });
			return until((message) => message["id"] === id && message["method"] === undefined);
		},
		hello: (capabilities = {}, name = "tester") =>
			client.request("initialize", { clientInfo: { name, title: null, version: "1" }, capabilities }),
		told: (method) => until((message) => message["method"] === method),
		leave: () => closed(),
	};
	return client;
}

/** A facade over the real runner and a scripted model. */
export async function openBench(
	responses: readonly ScriptedResponse[] = [],
	installation: InstallationMethods = {},
): Promise<Bench> {
	await using stack = new AsyncDisposableStack();
	const root = await mkdtemp(join(tmpdir(), "codex-facade-"));
	stack.defer(() => rm(root, { recursive: true, force: true }));
	const model = stack.use(await startScriptedModel({ responses }));
	const [cwd, codexHome] = [join(root, "work"), join(root, "codex")];
	await mkdir(cwd);
	await mkdir(codexHome);
	const provider = `[model_providers.mock]\nname = "mock"\nbase_url = "${model.url}"\nwire_api = "responses"\n`;
	await writeFile(
		join(codexHome, "config.toml"),
		`model = "gpt-5.5"\nmodel_provider = "mock"\n${provider}requires_openai_auth = false\n`,
	);
	const homes = { CODEX_HOME: codexHome, HOMIE_HOME: join(root, "homie"), WEAVE_HOME: join(root, "weave") };
	const env = { PATH: process.env["PATH"] ?? "", HOME: root, SHELL: "/bin/bash", ...homes };
	const test = stack.use(await openTestFacade({ env, cwd, installation }));
	const parts = stack.move();
	return {
		test,
		model,
		cwd,
		client: () => createClient(test),
		[Symbol.asyncDispose]: () => parts.disposeAsync(),
	};
}

export const member = (value: unknown, path: string): unknown =>
	path.split(".").reduce<unknown>((found, key) => (found as Json | null | undefined)?.[key], value);
