import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { oracleBinary, oracleMissing } from "./codex-oracle.ts";
import { createProduct, type Product } from "./product.ts";
import {
	type ScriptedItem,
	type ScriptedModel,
	type ScriptedResponse,
	startScriptedModel,
} from "./scripted-model.ts";
import { startTitleFront, type TitleFront } from "./title-front.ts";
import { startTmux, type Tmux, tmuxMissing } from "./tmux.ts";

/** Why the real TUI cannot be run here; null where it can. */
export function realTuiMissing(): string | null {
	if (tmuxMissing) return "the real TUI runs in tmux (apt-get install tmux)";
	return oracleMissing();
}

/** Title that the model gives every thread. */
export const TITLE = "Scripted work";

/** No proxy listens there: whatever the TUI wants of the internet is refused at once. */
const NOBODY = "http://127.0.0.1:9";

/** Our product with a model behind it, and the real TUI as one of its clients. */
export interface RealTuiStage extends AsyncDisposable {
	readonly product: Product;
	readonly model: ScriptedModel;
	readonly titles: TitleFront;
	/** A terminal in which `codex` is the real one; nothing runs in it yet. */
	openTerminal(name: string): Promise<Tmux>;
	/** `--remote` words that reach the daemon by its own socket. */
	bySocket(): string;
	/** The same by TCP with the daemon's token. */
	byTcp(): string;
}

function configOf(url: string, work: string): string {
	return [
		'model = "gpt-5.5"',
		'model_provider = "scripted"',
		"check_for_update_on_startup = false",
		// Else keys that come fast count as pasted text, and Enter as its line break.
		"disable_paste_burst = true",
		"",
		"[model_providers.scripted]",
		'name = "Scripted"',
		`base_url = ${JSON.stringify(url)}`,
		'wire_api = "responses"',
		"",
		`[projects.${JSON.stringify(work)}]`,
		'trust_level = "trusted"',
		"",
		"[tui]",
		"screen_reader_detection_done = true",
		"",
		"[notice.model_migrations]",
		'"gpt-5.5" = "gpt-6-sol"',
		"",
	].join("\n");
}

function initRepository(folder: string): void {
	const git = (...args: string[]): void =>
		void execFileSync("git", ["-c", "user.email=a@b.c", "-c", "user.name=a", ...args], { cwd: folder });
	git("init", "-q", "-b", "main", ".");
	mkdirSync(join(folder, "sub"));
	writeFileSync(join(folder, "sub", "alpha-file.ts"), "export {};\n");
	git("add", "-A");
	git("commit", "-q", "-m", "first");
}

/** Starts the daemon; whoever starts the stage disposes it after the terminals. */
export async function startRealTuiStage(responses: readonly ScriptedResponse[]): Promise<RealTuiStage> {
	await using stack = new AsyncDisposableStack();
	const product = stack.use(await createProduct());
	const model = stack.use(await startScriptedModel({ responses }));
	const titles = stack.use(await startTitleFront(model.url, TITLE));
	initRepository(product.work);
	writeFileSync(join(product.codexHome, "config.toml"), configOf(titles.url, product.work));
	const started = await product.weave("start", "--no-tui");
	if (started.code !== 0) throw new Error(`the daemon did not start: ${started.stdout}${started.stderr}`);
	const parts = stack.move();

	function addressOf(kind: string): string {
		const { listeners } = JSON.parse(readFileSync(join(product.home, "daemon.json"), "utf8")) as {
			listeners: { kind: string; address: string }[];
		};
		const found = listeners.find((listener) => listener.kind === kind);
		if (found === undefined) throw new Error(`the daemon does not listen for ${kind}`);
		return found.address;
	}

	return {
		product,
		model,
		titles,
		bySocket: () => `--remote unix://${addressOf("codex")}`,
		byTcp: () => `--remote ${addressOf("http").replace("http:", "ws:")} --remote-auth-token-env WEAVE_TOKEN`,
		async openTerminal(name) {
			const dir = join(product.dir, name);
			mkdirSync(join(dir, "tmp"), { recursive: true });
			const tmux = await startTmux({ ...product, dir }, 110, 42);
			const token = readFileSync(join(product.home, "token"), "utf8").trim();
			const variables = {
				TMPDIR: join(dir, "tmp"),
				HTTPS_PROXY: NOBODY,
				NO_PROXY: "127.0.0.1,localhost",
				WEAVE_TOKEN: token,
			};
			for (const [key, value] of Object.entries(variables)) await tmux.run(`export ${key}='${value}'`);
			await tmux.run(`codex() { '${oracleBinary()}' "$@"; }; clear`);
			return tmux;
		},
		[Symbol.asyncDispose]: () => parts.disposeAsync(),
	};
}

/** Types a line into the TUI as a person does: Enter when the line is seen. */
export async function say(tmux: Tmux, text: string): Promise<void> {
	tmux.type(text);
	await tmux.shows(`› ${text}`);
	tmux.keys("Enter");
}

/** Starts the TUI in the terminal and waits until it takes input. */
export async function startTui(tmux: Tmux, words: string): Promise<void> {
	tmux.type(`codex ${words}`);
	tmux.keys("Enter");
	await tmux.shows(/GPT-5\.5 default · /u, 30_000);
}

export const text = (said: string): ScriptedResponse => ({ items: [{ type: "text", text: said }] });
export const call = (item: ScriptedItem): ScriptedResponse => ({ items: [item] });
/** A command that has to be asked for. */
export const escalated = (cmd: string, justification: string): ScriptedResponse =>
	call({
		type: "function_call",
		name: "exec_command",
		args: { cmd, sandbox_permissions: "require_escalated", justification },
	});
/** A patch that adds a file of one line. */
export const addFile = (name: string, line: string): ScriptedResponse =>
	call({
		type: "custom_tool_call",
		name: "apply_patch",
		input: `*** Begin Patch\n*** Add File: ${name}\n+${line}\n*** End Patch`,
	});
