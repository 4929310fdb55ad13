import xterm from "@xterm/headless";

/** A screen without a window: what a person would see of the bytes written to it. Widths follow @xterm/headless. */
export interface VirtualTerminal extends Disposable {
	/** Resolves when the bytes are on the screen. */
	write(data: Uint8Array | string): Promise<void>;
	/** The visible rows, right-trimmed. */
	lines(): string[];
	/** Visible rows joined by newlines. */
	text(): string;
	/** Rows above the screen, oldest first. */
	history(): string[];
	/** Everything that can be compared between two screens. */
	state(): VirtualState;
	resize(cols: number, rows: number): void;
	/** Resolves once the screen matches; rejects with the screen's text after `timeoutMs` (default 10 s). */
	waitFor(
		want: string | RegExp | ((screen: VirtualTerminal) => boolean),
		options?: { timeoutMs?: number },
	): Promise<void>;
	/** What the terminal answered to queries (DA, CPR ...), in order. */
	readonly answers: readonly string[];
	onAnswer(listener: (data: string) => void): Disposable;
	readonly cols: number;
	readonly rows: number;
	readonly title: string;
	readonly cursor: { x: number; y: number; visible: boolean };
	readonly alternate: boolean;
}

export interface VirtualState {
	rows: string[];
	/** Per visible row: `from:attributes` at each change of look. */
	looks: string[];
	history: string[];
	cursor: { x: number; y: number; visible: boolean };
	alternate: boolean;
	title: string;
	modes: Record<string, unknown>;
	mouseEncoding: string;
	margins: [number, number];
}

interface CoreView {
	coreService: { isCursorHidden: boolean };
	coreMouseService: { activeEncoding: string };
	buffer: { scrollTop: number; scrollBottom: number };
}

function look(cell: xterm.IBufferCell): string {
	const flags = [
		cell.isBold(),
		cell.isDim(),
		cell.isItalic(),
		cell.isUnderline(),
		cell.isBlink(),
		cell.isInverse(),
		cell.isInvisible(),
		cell.isStrikethrough(),
		cell.isOverline(),
	];
	return `${cell.getFgColorMode()}/${cell.getFgColor()},${cell.getBgColorMode()}/${cell.getBgColor()},${flags.map((flag) => (flag ? 1 : 0)).join("")}`;
}

function rowLooks(line: xterm.IBufferLine | undefined): string {
	const out: string[] = [];
	let last = "";
	for (let x = 0; line && x < line.length; x += 1) {
		const cell = line.getCell(x);
		if (!cell) break;
		// Only the background of an empty cell can be seen.
		const now = cell.getChars() === "" ? `empty ${cell.getBgColorMode()}/${cell.getBgColor()}` : look(cell);
		if (now !== last) out.push(`${x}:${now}`);
		last = now;
	}
	return out.join(" ");
}

export function createVirtualTerminal(
	options: { cols?: number; rows?: number; scrollback?: number } = {},
): VirtualTerminal {
	const terminal = new xterm.Terminal({
		cols: options.cols ?? 80,
		rows: options.rows ?? 24,
		scrollback: options.scrollback ?? 1000,
		allowProposedApi: true,
	});
	const core = (terminal as unknown as { _core: CoreView })._core;
	const answers: string[] = [];
	const waiters = new Set<() => void>();
	let title = "";
	terminal.onData((data) => void answers.push(data));
	terminal.onTitleChange((next) => {
		title = next;
	});

	function slice(from: number, to: number): string[] {
		const out: string[] = [];
		for (let y = from; y < to; y += 1)
			out.push(terminal.buffer.active.getLine(y)?.translateToString(true) ?? "");
		return out;
	}
	function cursor() {
		const { cursorX: x, cursorY: y } = terminal.buffer.active;
		return { x, y, visible: !core.coreService.isCursorHidden };
	}
	const screen: VirtualTerminal = {
		write: (data) =>
			new Promise((resolve) => {
				terminal.write(data, () => {
					for (const waiter of [...waiters]) waiter();
					resolve();
				});
			}),
		lines: () => slice(terminal.buffer.active.baseY, terminal.buffer.active.baseY + terminal.rows),
		text: () => screen.lines().join("\n"),
		history: () => slice(0, terminal.buffer.active.baseY),
		state() {
			const { baseY, type } = terminal.buffer.active;
			return {
				rows: screen.lines(),
				looks: Array.from({ length: terminal.rows }, (_, y) =>
					rowLooks(terminal.buffer.active.getLine(baseY + y)),
				),
				history: screen.history(),
				cursor: cursor(),
				alternate: type === "alternate",
				title,
				modes: { ...terminal.modes },
				mouseEncoding: core.coreMouseService.activeEncoding,
				margins: [core.buffer.scrollTop, core.buffer.scrollBottom],
			};
		},
		resize: (cols, rows) => terminal.resize(cols, rows),
		waitFor(want, { timeoutMs = 10_000 } = {}) {
			const matches = (): boolean => {
				if (typeof want === "function") return want(screen);
				return typeof want === "string" ? screen.text().includes(want) : want.test(screen.text());
			};
			if (matches()) return Promise.resolve();
			return new Promise((resolve, reject) => {
				const timer = setTimeout(() => {
					waiters.delete(check);
					reject(
						new Error(
							`The screen never showed ${String(want)} within ${timeoutMs} ms. It shows:\n${screen.text()}`,
						),
					);
				}, timeoutMs);
				function check(): void {
					if (!matches()) return;
					clearTimeout(timer);
					waiters.delete(check);
					resolve();
				}
				waiters.add(check);
			});
		},
		answers,
		onAnswer: (listener) => {
			const handle = terminal.onData(listener);
			return { [Symbol.dispose]: () => handle.dispose() };
		},
		get cols() {
			return terminal.cols;
		},
		get rows() {
			return terminal.rows;
		},
		get title() {
			return title;
		},
		get cursor() {
			return cursor();
		},
		get alternate() {
			return terminal.buffer.active.type === "alternate";
		},
		[Symbol.dispose]: () => terminal.dispose(),
	};
	return screen;
}
