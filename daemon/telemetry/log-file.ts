import {
	chmodSync,
	closeSync,
	existsSync,
	fstatSync,
	mkdirSync,
	openSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** Some hours of a busy daemon; small enough to open in an editor. */
const DEFAULT_MAX_BYTES = 5 * 1024 * 1024;
const DEFAULT_KEEP = 5;

export interface LogFile extends Disposable {
	write(line: string): void;
	/** Lines lost because the disk refused them. */
	readonly lostLines: number;
}

interface LogFileOptions {
	path: string;
	maxBytes?: number;
	/** Old files kept beside it: `.1` the newest. */
	keep?: number;
}

/**
 * Appends lines to a file of this user only, and moves it aside before it would grow over its limit. Writes are
 * synchronous, so that the last line before a crash is there; a disk that refuses costs lines, never the daemon.
 */
export function createLogFile({
	path,
	maxBytes = DEFAULT_MAX_BYTES,
	keep = DEFAULT_KEEP,
}: LogFileOptions): LogFile {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	let file = open();
	let sizeBytes = fstatSync(file).size;
	let lostLines = 0;
	let closed = false;

	function open(): number {
		const handle = openSync(path, "a", 0o600);
		chmodSync(path, 0o600);
		return handle;
	}

	function rotate(): void {
		rmSync(`${path}.${keep}`, { force: true });
		for (let n = keep - 1; n >= 1; n -= 1)
			if (existsSync(`${path}.${n}`)) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
		renameSync(path, `${path}.1`);
		closeSync(file);
		file = open();
		sizeBytes = 0;
	}

	return {
		write(line) {
			if (closed) return;
			try {
				const bytes = Buffer.from(line);
				if (sizeBytes > 0 && sizeBytes + bytes.length > maxBytes) rotate();
				writeSync(file, bytes);
				sizeBytes += bytes.length;
			} catch {
				lostLines += 1;
			}
		},
		get lostLines() {
			return lostLines;
		},
		[Symbol.dispose]() {
			if (closed) return;
			closed = true;
			closeSync(file);
		},
	};
}
