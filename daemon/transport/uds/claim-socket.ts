import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { AppError } from "#base/app-error.ts";

function codeOf(error: unknown): string | undefined {
	return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** True when somebody listens there. A full backlog counts as living. */
function isLive(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = connect(path);
		probe.once("connect", () => {
			probe.destroy();
			resolve(true);
		});
		probe.once("error", (error) => {
			probe.destroy();
			resolve(codeOf(error) !== "ECONNREFUSED" && codeOf(error) !== "ENOENT");
		});
	});
}

/**
 * Makes the folder private and the path free for a listener: a socket nobody listens on is removed, a living one and
 * anything that is no socket are left alone. The caller holds the lock of that home.
 * @throws AppError SOCKET_IN_USE; HOME_NOT_WRITABLE.
 */
export async function claimSocket(path: string): Promise<void> {
	const folder = dirname(path);
	try {
		await mkdir(folder, { recursive: true, mode: 0o700 });
		await chmod(folder, 0o700);
	} catch (cause) {
		throw new AppError("HOME_NOT_WRITABLE", `The folder ${folder} cannot be used.`, { cause });
	}
	const present = await lstat(path).catch((error: unknown) => {
		if (codeOf(error) === "ENOENT") return undefined;
		throw error;
	});
	if (present === undefined) return;
	if (!present.isSocket()) throw new AppError("SOCKET_IN_USE", `${path} exists and is not a socket.`, { data: { path } });
	if (await isLive(path)) throw new AppError("SOCKET_IN_USE", `A living process listens on ${path}.`, { data: { path } });
	await unlink(path);
}
