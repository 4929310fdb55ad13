import { escapeUnseenJson, showUnseen } from "#base/visible-text.ts";
import { type CliContext, defineCommand } from "../descriptor.ts";
import { parseWhole } from "./option-value.ts";

const DEFAULT_LINES = 50;
const LINES_MAX = 100_000;
/** File notices come late or never on some file systems (network mounts), so the file is looked at this often as well. */
const LOOK_EVERY_MS = 1000;

/** `2026-01-02T03:04:05.678Z INFO  message key=value`; what is not a log line of ours stays as it is. */
function formatLine(line: string): string {
	let parsed: unknown;
	try {
		parsed = JSON.parse(line);
	} catch {
		return line;
	}
	if (typeof parsed !== "object" || parsed === null) return line;
	const { time, level, msg, ...fields } = parsed as Record<string, unknown>;
	const extra = Object.entries(fields).map(
		([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
	);
	return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${extra.join("")}`;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
	const { readFile } = await import("node:fs/promises");
	try {
		return await readFile(path);
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
		throw error;
	}
}

function splitLines(text: Buffer | undefined): string[] {
	return (text?.toString("utf8") ?? "").split("\n").filter((line) => line !== "");
}

/** The newest lines, from the file before the last rotation too where one is too short, and where the next will begin. */
async function readTail(
	path: string,
	count: number,
): Promise<{ lines: string[]; endBytes: number } | undefined> {
	const text = await readIfThere(path);
	if (!text) return undefined;
	const present = splitLines(text);
	const older = present.length < count ? splitLines(await readIfThere(`${path}.1`)) : [];
	return { lines: count === 0 ? [] : [...older, ...present].slice(-count), endBytes: text.length };
}

/** Calls `onLine` for each line added from `offset` on, across rotations, until aborted. */
async function follow(
	path: string,
	offset: number,
	context: CliContext,
	onLine: (line: string) => void,
): Promise<void> {
	const { open, stat } = await import("node:fs/promises");
	const { existsSync, watch } = await import("node:fs");
	const { dirname } = await import("node:path");
	let position = offset;
	let inode = (await stat(path).catch(() => undefined))?.ino;
	let rest = "";
	async function readNew(): Promise<void> {
		const found = await stat(path).catch(() => undefined);
		if (!found) return;
		if (found.ino !== inode || found.size < position) {
			inode = found.ino;
			position = 0;
			rest = "";
		}
		if (found.size === position) return;
		const file = await open(path, "r");
		try {
			const { buffer, bytesRead } = await file.read(
				Buffer.alloc(found.size - position),
				0,
				found.size - position,
				position,
			);
			position += bytesRead;
			const lines = (rest + buffer.toString("utf8", 0, bytesRead)).split("\n");
			rest = lines.pop() ?? "";
			for (const line of lines) onLine(line);
		} finally {
			await file.close();
		}
	}
	while (!context.signal.aborted) {
		await readNew();
		await new Promise<void>((resolve) => {
			// Before the first daemon there is no folder to watch.
			const watcher = existsSync(dirname(path)) ? watch(dirname(path)) : undefined;
			const timer = setTimeout(wake, LOOK_EVERY_MS);
			function wake(): void {
				clearTimeout(timer);
				watcher?.close();
				context.signal.removeEventListener("abort", wake);
				resolve();
			}
			watcher?.once("change", wake).once("error", wake);
			context.signal.addEventListener("abort", wake, { once: true });
		});
	}
	throw context.signal.reason;
}

export const logsCommand = defineCommand({
	program: "weave-codex",
	name: "logs",
	summary: "Show the daemon's log.",
	description:
		"Reads $HOMIE_HOME/logs/daemon.log, with or without a daemon. With --json the lines are as they are stored: NDJSON.",
	options: [
		{ flags: "-f, --follow", summary: "go on with new lines until interrupted" },
		{
			flags: "--lines <n>",
			summary: "how many of the newest lines to show first",
			default: String(DEFAULT_LINES),
		},
	],
	examples: [
		{ command: "weave-codex logs", says: "the newest 50 lines" },
		{ command: "weave-codex logs -f --lines 0", says: "only what comes from now on" },
		{ command: "weave-codex logs --json --lines 1000", says: "for jq" },
	],
	json: true,
	async run(context, { options }) {
		const { join } = await import("node:path");
		const path = join(context.paths.logs, "daemon.log");
		const count = parseWhole(options["lines"], "--lines", { min: 0, max: LINES_MAX }) ?? DEFAULT_LINES;
		const write = (line: string): void =>
			void context.stdout.write(`${context.json ? escapeUnseenJson(line) : showUnseen(formatLine(line))}\n`);
		const tail = await readTail(path, count);
		if (!tail) context.say(`There is no log yet at ${path}.`);
		for (const line of tail?.lines ?? []) write(line);
		if (options["follow"] === true) await follow(path, tail?.endBytes ?? 0, context, write);
		return 0;
	},
});
