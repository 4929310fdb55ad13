import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Both ends of an anonymous pipe; whoever takes it closes both. */
export interface Pipe {
	readonly readFd: number;
	readonly writeFd: number;
}

/**
 * Hands out kernel pipes at once, made ahead of need. Node's own "pipe" stdio is a pair of sockets: a program cannot open
 * /dev/stderr on those, and stdout and stderr could not share one to keep their order.
 */
export interface PipePool extends Disposable {
	/** Undefined when none is ready, or where the system has no mkfifo. */
	take(): Pipe | undefined;
	/** Resolves when `size` pipes are ready, or when making them failed. */
	ready(): Promise<void>;
}

/** @param size pipes kept ready, two descriptors each. */
export function createPipePool(size: number): PipePool {
	const free: Pipe[] = [];
	let filling: Promise<void> | undefined;
	let disposed = false;

	async function fill(): Promise<void> {
		const folder = await mkdtemp(join(tmpdir(), "weave-pipe-"));
		try {
			const names = Array.from({ length: size - free.length }, (_, index) => join(folder, String(index)));
			await run("mkfifo", ["-m", "600", ...names]);
			for (const name of names) free.push(openPipe(name));
		} finally {
			await rm(folder, { recursive: true, force: true });
		}
		if (disposed) closeAll();
	}

	function closeAll(): void {
		for (const pipe of free.splice(0)) closePipe(pipe);
	}

	function refill(): Promise<void> {
		if (disposed || free.length >= size) return Promise.resolve();
		filling ??= fill()
			.catch(() => undefined)
			.finally(() => {
				filling = undefined;
			});
		return filling;
	}

	return {
		take() {
			const pipe = free.pop();
			if (free.length <= size / 2) void refill();
			return pipe;
		},
		ready: refill,
		[Symbol.dispose]() {
			disposed = true;
			closeAll();
		},
	};
}

/** The reading end is opened first and without blocking: a named pipe makes a writer wait for a reader. */
function openPipe(path: string): Pipe {
	const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
	try {
		return { readFd, writeFd: openSync(path, constants.O_WRONLY) };
	} catch (error) {
		closeSync(readFd);
		throw error;
	}
}

/** Closes both ends of a pipe nobody uses yet. */
export function closePipe(pipe: Pipe): void {
	closeSync(pipe.readFd);
	closeSync(pipe.writeFd);
}
