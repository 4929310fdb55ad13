import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node-pty";
import type { DaemonClient } from "#client/client.ts";
import { openAttachSocket } from "#client/node/attach-socket.ts";
import { connectLocal } from "#client/node/connect-local.ts";
import { resolvePaths } from "#platform/paths.ts";
import { createProduct, NODE, type Product, ROOT } from "../../support/product.ts";

export const COLS = 120;
export const ROWS = 40;
/** What every measured program prints once it is ready. */
export const READY = "RDY>";
/** What a flood ends with. */
export const END = "@@-end-@@";
const GIVE_UP_MS = 120_000;

export type Argv = readonly [string, ...string[]];

/** The programs inside the measured terminals. */
export const PROGRAM = {
	echo: ["/bin/sh", "-c", `stty raw -echo; printf '${READY}'; exec cat`] as Argv,
	flood: (file: string): Argv => [
		"/bin/sh",
		"-c",
		`stty -echo; printf '${READY}'; read x; cat ${file}; printf '\\r\\n${END}\\r\\n'; exec cat >/dev/null`,
	],
	history: (lines: number): Argv => [
		"/bin/sh",
		"-c",
		`stty -echo; seq -f 'line %010g of what went before, as long as a line of a log tends to be, or so' ${lines}; printf '${READY}'; exec cat`,
	],
};

/** One terminal's bytes as a client sees them. */
export interface Wire {
	write(text: string): void;
	/** Milliseconds of `performance.now()` at which `text` had arrived; across chunks, from what comes after this call. */
	seen(text: string): Promise<number>;
	/** Bytes received so far. */
	bytes(): number;
	close(): void;
}

interface Ends {
	onData(listener: (chunk: Uint8Array) => void): void;
	write(bytes: Uint8Array): void;
	close(): void;
}

function createWire(ends: Ends): Wire {
	let received = 0;
	let tail = Buffer.alloc(0);
	let wanted: { text: Buffer; resolve(atMs: number): void } | undefined;
	ends.onData((chunk) => {
		received += chunk.length;
		if (!wanted) return;
		const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
		const keep = wanted.text.length - 1;
		const seam = keep === 0 ? bytes : Buffer.concat([tail, bytes.subarray(0, keep)]);
		if (bytes.includes(wanted.text) || seam.includes(wanted.text)) {
			const { resolve } = wanted;
			wanted = undefined;
			resolve(performance.now());
		} else tail = Buffer.concat([tail, bytes.subarray(-keep)]).subarray(-keep);
	});
	return {
		write: (text) => ends.write(Buffer.from(text)),
		seen: (text) =>
			new Promise((resolve, reject) => {
				const timer = setTimeout(() => reject(new Error(`${text} did not arrive`)), GIVE_UP_MS);
				tail = Buffer.alloc(0);
				wanted = {
					text: Buffer.from(text),
					resolve(atMs) {
						clearTimeout(timer);
						resolve(atMs);
					},
				};
			}),
		bytes: () => received,
		close: ends.close,
	};
}

/** A program in a PTY of this process's own, with nothing between: the baseline, and how clients are run. */
export function ptyWire([file, ...args]: Argv, env: Readonly<Record<string, string | undefined>>): Wire {
	const pty = spawn(file, args, {
		name: "xterm-256color",
		cols: COLS,
		rows: ROWS,
		encoding: null,
		env: { ...env, TERM: "xterm-256color" },
	});
	return createWire({
		// With encoding null node-pty hands out Buffers, whatever its types say.
		onData: (listener) => void pty.onData((data) => listener(data as unknown as Buffer)),
		write: (bytes) => pty.write(Buffer.from(bytes)),
		close: () => pty.kill("SIGKILL"),
	});
}

/** The installed product's daemon and pty-host, with terminals to attach to. */
export interface TerminalBench extends AsyncDisposable {
	readonly product: Product;
	/** Starts a program; resolves to the terminal's id. */
	start(argv: Argv): Promise<string>;
	/** Attaches over the pty-host's socket, from this process. */
	attach(terminal: string): Promise<Wire>;
	/** The program `homie attach`, in a PTY. */
	attachProgram(terminal: string): Wire;
	kill(terminal: string): Promise<void>;
}

export async function openTerminalBench(): Promise<TerminalBench> {
	const product = await createProduct();
	const { code, stderr } = await product.weave("start", "--no-tui", "--no-web");
	if (code !== 0) throw new Error(stderr);
	const client: DaemonClient = connectLocal(resolvePaths(product.env), { kind: "bench" });
	await client.ready();
	async function attach(terminal: string): Promise<Wire> {
		const { ticket, socket_path } = await client.call("terminal.session.attach", {
			terminal,
			via: "ticket",
			mode: "drive",
			takeover: true,
		});
		if (ticket === null || socket_path === null) throw new Error("no ticket");
		// Assigned by createWire, before the first frame can be read.
		let listener: (chunk: Uint8Array) => void = () => undefined;
		const early: Uint8Array[] = [];
		listener = (chunk) => void early.push(chunk.slice());
		const socket = await openAttachSocket({
			socketPath: socket_path,
			ticket,
			size: { cols: COLS, rows: ROWS },
			paint: "screen",
			handlers: {
				onSnapshot: (_offset, bytes) => listener(bytes),
				onOutput: (_offset, bytes) => listener(bytes),
				onEvent: () => undefined,
				onClose: () => undefined,
			},
		});
		const wire = createWire({
			onData: (next) => {
				listener = next;
			},
			write: (bytes) => socket.input(bytes),
			close: () => socket.close(),
		});
		return {
			...wire,
			seen(text) {
				const result = wire.seen(text);
				for (const chunk of early.splice(0)) listener(chunk);
				return result;
			},
		};
	}
	return {
		product,
		async start(argv) {
			const { terminal } = await client.call("terminal.session.start", {
				argv: [...argv],
				cols: COLS,
				rows: ROWS,
				cwd: product.work,
			});
			return terminal.terminal_id;
		},
		attach,
		attachProgram: (terminal) =>
			ptyWire([NODE, join(ROOT, "bin/homie.js"), "attach", `local:${terminal}`], product.env),
		kill: async (terminal) => void (await client.call("terminal.session.kill", { terminal })),
		async [Symbol.asyncDispose]() {
			await client[Symbol.asyncDispose]();
			await product[Symbol.asyncDispose]();
		},
	};
}

/** A tmux server of its own. */
export interface TmuxBench extends Disposable {
	start(name: string, argv: Argv): void;
	attach(name: string): Wire;
}

export const tmuxMissing = spawnSync("tmux", ["-V"]).status !== 0;

export function openTmux(): TmuxBench {
	const dir = mkdtempSync(join(tmpdir(), "tmux-"));
	const socket = join(dir, "s");
	const env = { PATH: process.env["PATH"], HOME: dir, LANG: "C.UTF-8", TERM: "xterm-256color" };
	const server = ["-S", socket, "-f", "/dev/null"];
	return {
		start(name, argv) {
			const size = ["-x", String(COLS), "-y", String(ROWS)];
			execFileSync("tmux", [...server, "new-session", "-d", "-s", name, ...size, ...argv], { env });
		},
		attach: (name) => ptyWire(["tmux", ...server, "attach", "-t", name], env),
		[Symbol.dispose]() {
			spawnSync("tmux", [...server, "kill-server"], { env });
			rmSync(dir, { recursive: true, force: true });
		},
	};
}
