import { AppError, toAppError } from "#base/app-error.ts";
import type { Paths } from "#platform/paths.ts";

/** Resolves when a daemon answers, starting one if none does. @throws AppError why it could not start. */
export async function ensureDaemon(paths: Paths): Promise<void> {
	const { rpcOnce } = await import("#client/node/rpc-once.ts");
	try {
		await rpcOnce(paths, "daemon.status", {}, { timeoutMs: 5_000 });
		return;
	} catch (thrown) {
		if (toAppError(thrown).code !== "DAEMON_UNAVAILABLE") throw thrown;
	}
	const { startDaemon } = await import("./start-daemon.ts");
	try {
		await startDaemon(paths, {});
	} catch (thrown) {
		const error = toAppError(thrown);
		if (!(error instanceof AppError) || error.code !== "DAEMON_ALREADY_RUNNING") throw error;
	}
}
