import { AppError } from "#base/app-error.ts";

/** What the shell shows for a program that SIGPIPE ended. */
const EXIT_BROKEN_PIPE = 141;

/** Knows whether what was printed has arrived. */
export interface OutputWatch {
	/** Resolves when everything printed has left the process. @throws AppError why it could not. */
	flush(): Promise<void>;
}

function explain(error: NodeJS.ErrnoException): AppError {
	// A reader that went away (`| head`) is no error to talk about: end as SIGPIPE would end us.
	if (error.code === "EPIPE" || error.code === "EIO")
		return new AppError("CANCELLED", "Nobody reads the output.", { data: { exit: EXIT_BROKEN_PIPE } });
	if (error.code === "ENOSPC")
		return new AppError("STORAGE_FULL", "The output could not be written: the disk is full.");
	return new AppError("STORAGE_FAILED", `The output could not be written: ${error.message}.`, {
		cause: error,
	});
}

/** Watches stdout; `onFailure` is told of the first failure at once, so that a command that goes on for ever ends. */
export function watchOutput(
	{ stdout, stderr }: { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream },
	onFailure: (error: AppError) => void,
): OutputWatch {
	let failure: AppError | undefined;
	function fail(error: NodeJS.ErrnoException): void {
		if (failure) return;
		failure = explain(error);
		onFailure(failure);
	}
	stdout.on("error", fail);
	// Talk that nobody hears is no reason to stop.
	stderr.on("error", () => undefined);
	return {
		async flush() {
			await new Promise<void>((resolve) => {
				stdout.write("", (error) => {
					if (error && !failure) fail(error);
					resolve();
				});
			});
			if (failure) throw failure;
		},
	};
}
