import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
	type AnswerRequest,
	type CodexClient,
	type CodexMessage,
	connectCodexSocket,
} from "#test/support/codex-client.ts";
import { type FaultyModel, type ModelWire, startFaultyModel } from "#test/support/faulty-model.ts";
import { accountToken, startOauthServer } from "#test/support/oauth-server.ts";
import { createProduct, NODE, type Product, ROOT, until } from "#test/support/product.ts";
import { writeCodexHome } from "#test/support/scripted-model.ts";

type Say = (wire: ModelWire) => unknown;

interface Ended {
	id: string;
	status: string;
	error: { message: string; codexErrorInfo: unknown } | null;
}

let product: Product;
let model: FaultyModel;
/** What the model says at its first request, its second one and so on, by the word after "case:"; then "done". */
let scripts: Record<string, Say[]>;

beforeEach(async () => {
	scripts = {};
	model = await startFaultyModel((_nth, body) => async (wire) => {
		const said = JSON.stringify(body.input);
		const name = [...said.matchAll(/case:(\w+)/gu)].at(-1)?.[1] ?? "";
		const step = scripts[name]?.shift();
		if (step !== undefined) {
			const handled = await step(wire);
			if (handled === "handled") return;
		}
		if (!wire.response.headersSent) wire.open();
		if (step === undefined) await wire.text("done");
		await wire.complete();
	});
});
afterEach(async () => {
	await product[Symbol.asyncDispose]();
	await model[Symbol.asyncDispose]();
});

const call =
	(name: string, args: unknown): Say =>
	async (wire) => {
		wire.open();
		await wire.call(name, args);
	};
const script =
	(input: string): Say =>
	async (wire) => {
		wire.open();
		const item = {
			type: "custom_tool_call",
			id: "ctc_1",
			call_id: `cell_${input.length}`,
			name: "exec",
			input,
		};
		await wire.event("response.output_item.done", { item });
	};

async function start(answer?: AnswerRequest): Promise<CodexClient> {
	const { code, stderr } = await product.weave("start", "--no-tui", "--no-web");
	expect(code, stderr).toBe(0);
	return connectCodexSocket(join(product.home, "codex.sock"), answer);
}

async function startThread(client: CodexClient, params: Record<string, unknown>): Promise<string> {
	const { thread } = await client.request<{ thread: { id: string } }>("thread/start", {
		...{ cwd: product.work, approvalPolicy: "never", sandbox: "workspace-write" },
		...params,
	});
	return thread.id;
}

async function ask(client: CodexClient, threadId: string, name: string, params = {}): Promise<string> {
	const input = [{ type: "text", text: `case:${name}`, text_elements: [] }];
	const said = { threadId, input, ...params };
	return (await client.request<{ turn: { id: string } }>("turn/start", said)).turn.id;
}

async function end(client: CodexClient, turnId: string): Promise<Ended> {
	const isEnd = ({ method, params }: CodexMessage): boolean =>
		method === "turn/completed" && (params?.["turn"] as Ended | undefined)?.id === turnId;
	return (await client.seen(`the end of ${turnId}`, isEnd)).params?.["turn"] as Ended;
}

const effects = (): string =>
	readFileSync(join(product.work, "effects.txt"), { encoding: "utf8", flag: "a+" });
const lastOutputs = (): string[] =>
	(model.bodies.at(-1)?.input ?? []).flatMap((item) =>
		String(item["type"]).endsWith("_call_output") ? [JSON.stringify(item["output"])] : [],
	);

describe("acceptance: a login that dies in the middle of a turn", () => {
	function logIn(serial: number): void {
		const token = accountToken({ expiresAtMs: Date.now() + 3_600_000, serial });
		const tokens = {
			id_token: token,
			access_token: token,
			refresh_token: `rt-${serial}`,
			account_id: "acct-1",
		};
		const file = {
			auth_mode: "chatgpt",
			OPENAI_API_KEY: null,
			tokens,
			last_refresh: new Date().toISOString(),
		};
		writeFileSync(join(product.codexHome, "auth.json"), JSON.stringify(file), { mode: 0o600 });
	}
	const serialOf = ({ headers }: ModelWire): number => {
		const claims = Buffer.from(headers.authorization?.split(".")[1] ?? "", "base64url").toString("utf8");
		return Number(/"serial":(\d+)/u.exec(claims)?.[1]);
	};
	const unlessDead =
		(say: Say, dead: number): Say =>
		(wire) => {
			if (serialOf(wire) !== dead) return say(wire);
			wire.response
				.writeHead(401, { "content-type": "application/json" })
				.end('{"error":{"message":"expired"}}');
			return "handled";
		};
	const done: Say = async (wire) => {
		wire.open();
		await wire.text("done");
	};

	test("is renewed and the turn goes on, its command run once", async () => {
		await using issuer = await startOauthServer();
		product = await createProduct({ CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token` });
		writeCodexHome(product.codexHome, model.url, "requires_openai_auth = true");
		logIn(0);
		scripts["dies"] = [
			call("exec_command", { cmd: "echo once >> effects.txt" }),
			unlessDead(done, 0),
			unlessDead(done, 0),
		];
		using client = await start();
		const threadId = await startThread(client, {});
		const ended = await end(client, await ask(client, threadId, "dies"));
		expect(ended).toMatchObject({ status: "completed" });
		expect(effects()).toBe("once\n");
		expect(readFileSync(join(product.codexHome, "auth.json"), "utf8")).toContain("rt-new-1");
		expect(issuer.to("/oauth/token").length).toBe(1);
	});

	test("and cannot be renewed: the turn fails, the item stays, a new login goes on", async () => {
		await using issuer = await startOauthServer();
		issuer.answers.set("/oauth/token", () => [401, { error: { code: "refresh_token_invalidated" } }]);
		product = await createProduct({ CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.url}/oauth/token` });
		writeCodexHome(product.codexHome, model.url, "requires_openai_auth = true\nstream_max_retries = 1");
		logIn(0);
		const dead = unlessDead(done, 0);
		scripts["dies"] = [call("exec_command", { cmd: "echo once >> effects.txt" }), ...Array(9).fill(dead)];
		using client = await start();
		const threadId = await startThread(client, {});
		const ended = await end(client, await ask(client, threadId, "dies"));
		expect(ended.status).toBe("failed");
		expect(effects()).toBe("once\n");
		logIn(5);
		scripts["next"] = [dead];
		expect(await end(client, await ask(client, threadId, "next"))).toMatchObject({ status: "completed" });
		expect(effects()).toBe("once\n");
	});
});

describe("acceptance: a machine without a sandbox", () => {
	/** All programs of this machine but the one that makes sandboxes. */
	function pathWithout(folder: string): string {
		mkdirSync(folder);
		for (const from of ["/usr/bin", "/bin"]) {
			for (const name of readdirSync(from)) {
				if (name === "bwrap") continue;
				try {
					symlinkSync(join(from, name), join(folder, name));
				} catch {
					// The same program by two names.
				}
			}
		}
		return folder;
	}

	test("says so once, asks for every command, and runs none that is refused", async () => {
		product = await createProduct();
		product.env["PATH"] = pathWithout(join(product.dir, "bin"));
		writeCodexHome(product.codexHome, model.url);
		const run = (word: string): Say => call("exec_command", { cmd: `echo ${word} >> effects.txt` });
		scripts["asked"] = [run("no"), run("yes")];
		scripts["never"] = [run("never")];
		let asked = 0;
		using client = await start(({ method }) => {
			if (method !== "item/commandExecution/requestApproval") return undefined;
			asked += 1;
			return { decision: asked === 1 ? "decline" : "accept" };
		});
		const threadId = await startThread(client, { approvalPolicy: "on-request" });
		expect((await end(client, await ask(client, threadId, "asked"))).status).toBe("completed");
		expect(asked).toBe(2);
		expect(effects()).toBe("yes\n");
		const warnings = client.inbox.filter(({ method, params }) => {
			return method === "warning" && JSON.stringify(params).includes("no sandbox");
		});
		expect(warnings.length).toBe(1);
		const silent = await startThread(client, {});
		expect((await end(client, await ask(client, silent, "never"))).status).toBe("completed");
		expect(effects()).toBe("yes\n");
		expect(lastOutputs().at(-1)).toContain("no sandbox");
	});
});

describe("acceptance: a tool that never ends", () => {
	const dynamicTools = [
		{ name: "forever", description: "x", inputSchema: { type: "object", properties: {} } },
	];
	const plan = {
		collaborationMode: {
			mode: "plan",
			settings: { model: "gpt-5.5", reasoning_effort: null, developer_instructions: null },
		},
	};
	const options = [
		{ label: "Yes", description: "go" },
		{ label: "No", description: "stop" },
	];
	const questions = [{ id: "q1", header: "Go?", question: "Shall I?", options }];
	const forever = "trap '' TERM INT HUP; while :; do sleep 0.2; done";

	/** Shows that the script runs. */
	const BEGIN = 'await tools.exec_command({ cmd: "true" });';
	/** What never ends, its thread, its turn. */
	const ENDLESS: Record<string, [say: Say, thread: Record<string, unknown>, turn?: Record<string, unknown>]> =
		{
			command: [call("exec_command", { cmd: forever, yield_time_ms: 30_000 }), {}],
			script: [script(`${BEGIN} while (true) {}`), { model: "gpt-5.6-sol" }],
			promise: [script(`${BEGIN} await new Promise(() => undefined);`), { model: "gpt-5.6-sol" }],
			mcp: [call("mcp__effects__never", {}), {}],
			question: [call("request_user_input", { questions }), { model: "gpt-5.5" }, plan],
			client: [call("forever", {}), { dynamicTools }],
		};

	/** A turn waits only a moment for a server that starts; the tool is offered from then on. */
	async function warmUp(client: CodexClient, threadId: string): Promise<void> {
		const isOffered = ({ input, tools }: ModelWire["body"]): boolean =>
			JSON.stringify(input).includes("case:warm") && JSON.stringify(tools).includes("mcp__effects");
		await until("the MCP server has started", async () => {
			await end(client, await ask(client, threadId, "warm"));
			return model.bodies.some(isOffered);
		});
	}

	test("of any kind: an interrupt ends the turn, the thread goes on, the daemon stops and leaves nothing", async () => {
		product = await createProduct();
		const server = JSON.stringify([join(ROOT, "test/support/mcp/effect-server.ts"), product.work]);
		const mcp = `[mcp_servers.effects]\ncommand = ${JSON.stringify(NODE)}\nargs = ${server}`;
		writeCodexHome(product.codexHome, model.url, mcp);
		for (const [name, [say]] of Object.entries(ENDLESS)) scripts[name] = [say];
		using client = await start();
		await Promise.all(
			Object.entries(ENDLESS).map(async ([name, [, thread, turn = {}]]) => {
				const threadId = await startThread(client, thread);
				if (name === "mcp") await warmUp(client, threadId);
				const turnId = await ask(client, threadId, name, turn);
				await client.seen(`the call of ${name}`, ({ method, params }) => {
					if (params?.["threadId"] !== threadId) return false;
					if (method === "item/tool/requestUserInput") return true;
					const type = (params["item"] as { type?: string } | undefined)?.type;
					return method === "item/started" && type !== "userMessage" && type !== "agentMessage";
				});
				await client.request("turn/interrupt", { threadId, turnId });
				expect(await end(client, turnId), name).toMatchObject({ status: "interrupted" });
				expect(await end(client, await ask(client, threadId, "after")), name).toMatchObject({
					status: "completed",
				});
			}),
		);
		const { code } = await product.weave("stop", "--terminals", "--force");
		expect(code).toBe(0);
		const left = readdirSync("/proc").filter((pid) => {
			try {
				return /^\d+$/u.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(product.work);
			} catch {
				return false;
			}
		});
		expect(left).toEqual([]);
	});

	test("and floods: the output is cut and the turn goes on", async () => {
		product = await createProduct();
		writeCodexHome(product.codexHome, model.url);
		scripts["flood"] = [call("exec_command", { cmd: "yes | head -c 60000000", max_output_tokens: 1_000 })];
		using client = await start();
		const threadId = await startThread(client, {});
		expect((await end(client, await ask(client, threadId, "flood"))).status).toBe("completed");
		expect(lastOutputs().join("").length).toBeLessThan(20_000);
	});
});
