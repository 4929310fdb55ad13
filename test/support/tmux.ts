import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { NODE, type Product, until } from "./product.ts";

export const tmuxMissing = spawnSync("tmux", ["-V"]).status !== 0;

/** A tmux server of its own with one bare shell in it, as a person would have it. */
export interface Tmux extends Disposable {
	/** Keys by tmux's names (`Enter`, `C-c`); text with `type`. */
	keys(...names: string[]): void;
	type(text: string): void;
	/** The visible screen as text. */
	screen(): string;
	/** Waits until the screen shows it. */
	shows(text: string | RegExp, timeoutMs?: number): Promise<void>;
	format(format: string): string;
	/** Runs a shell command line and waits for its end. */
	run(line: string): Promise<void>;
}

export async function startTmux(product: Product, cols: number, rows: number): Promise<Tmux> {
	const socket = join(product.dir, "tmux.sock");
	const tmux = (...args: string[]): string =>
		execFileSync("tmux", ["-S", socket, ...args], { encoding: "utf8", env: product.env });
	tmux(
		"-f",
		"/dev/null",
		"new-session",
		"-d",
		"-x",
		String(cols),
		"-y",
		String(rows),
		"-c",
		product.work,
		"bash --norc --noprofile",
	);
	let steps = 0;
	const session: Tmux = {
		keys: (...names) => void tmux("send-keys", ...names),
		type: (text) => void tmux("send-keys", "-l", text),
		screen: () => tmux("capture-pane", "-p"),
		format: (format) => tmux("display-message", "-p", format).trim(),
		async shows(text, timeoutMs = 20_000) {
			try {
				await until(
					`the screen shows ${text}`,
					() => (typeof text === "string" ? session.screen().includes(text) : text.test(session.screen())),
					timeoutMs,
				);
			} catch (error) {
				throw new Error(`${(error as Error).message}; it shows:\n${session.screen()}`);
			}
		},
		async run(line) {
			steps += 1;
			session.type(`${line}; echo "step-$((${steps}))-over"`);
			session.keys("Enter");
			await session.shows(`step-${steps}-over`);
		},
		[Symbol.dispose]() {
			tmux("kill-server");
		},
	};
	session.type(
		`PS1='$ '; weave-codex() { '${NODE}' '${product.root}/bin/weave-codex.js' "$@"; }; homie() { '${NODE}' '${product.root}/bin/homie.js' "$@"; }; clear`,
	);
	session.keys("Enter");
	await session.shows(/^\$ ?$/m);
	return session;
}
