import { join } from "node:path";
import { createProduct, NODE, type Product, ROOT, until } from "./product.ts";
import { type PtyRun, runInPty } from "./pty-run.ts";
import {
	type ScriptedItem,
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
	writeCodexHome,
} from "./scripted-model.ts";

/** The installed product with a scripted model, and terminals that run its TUI. */
export interface TuiStage extends AsyncDisposable {
	readonly product: Product;
	readonly model: ScriptedModel;
	/** Another TUI; it is ended with the stage. */
	open(options?: { args?: readonly string[]; cols?: number; rows?: number }): Promise<PtyRun>;
	/** A method of the daemon, asked by the command line. */
	call<T>(method: string, params?: unknown): Promise<T>;
}

/** A call of the command tool; `options` are further arguments. */
export function commandCall(cmd: string, options: Record<string, unknown> = {}): ScriptedItem {
	return { type: "function_call", name: "exec_command", args: { cmd, ...options } };
}

/** A command that has to be approved whatever the sandbox is. */
export function askingCall(cmd: string): ScriptedItem {
	return commandCall(cmd, { sandbox_permissions: "require_escalated", justification: "May I?" });
}

export function says(text: string): ScriptedResponse {
	return { items: [{ type: "text", text }] };
}

/** `modelName`: one of the catalogue where its tools matter; another is offered commands and questions only. */
export async function createTuiStage(
	responses: readonly ScriptedResponse[],
	modelName?: string,
): Promise<TuiStage> {
	await using stack = new AsyncDisposableStack();
	const product = stack.use(await createProduct());
	const model = stack.use(await startScriptedModel({ responses }));
	writeCodexHome(product.codexHome, model.url, "", modelName);
	const owned = stack.move();
	return {
		product,
		model,
		async open({ args = [], cols = 100, rows = 30 } = {}) {
			const run = owned.use(
				runInPty({
					argv: [NODE, join(ROOT, "bin/weave-codex.js"), ...args],
					cwd: product.work,
					env: product.env,
					cols,
					rows,
				}),
			);
			await run.waitForText("? help", { timeoutMs: 20_000 });
			return run;
		},
		call: <T>(method: string, params: unknown = {}) =>
			product.json("call", method, JSON.stringify(params)) as Promise<T>,
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}

/** Sends a message once the TUI is connected. */
export async function say(tui: PtyRun, text: string): Promise<void> {
	await tui.waitForText((screen) => !/connecting|reconnecting|not reached/.test(screen.text()), {
		timeoutMs: 20_000,
	});
	tui.send(text);
	await tui.waitForText(`› ${text}`);
	tui.send("\r");
}

/** The id of the only thread, once there is one. */
export async function onlyThread(stage: TuiStage): Promise<{ thread_id: string; agent_name: string }> {
	let found: { thread_id: string; agent_name: string } | undefined;
	await until("there is a thread", async () => {
		const { threads } = await stage.call<{ threads: { thread_id: string; agent_name: string }[] }>(
			"chat.list",
		);
		found = threads[0];
		return found !== undefined;
	});
	if (found === undefined) throw new Error("no thread");
	return found;
}
