import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "#base/app-error.ts";

/**
 * A long home puts its sockets into a folder of the shared temp folder, whose name others can work out: whoever made it
 * first would be spoken to as the daemon. Call before connecting; a folder that is not there yet is fine.
 * @throws AppError PERMISSION_DENIED when somebody else could have put the socket there.
 */
export function assertOwnSocketFolder(socketPath: string): void {
	const folder = lstatSync(dirname(socketPath), { throwIfNoEntry: false });
	const own = process.getuid?.();
	if (folder === undefined || own === undefined) return;
	// A link says nothing about the folder behind it, but only its owner can have made it what it is.
	const open = !folder.isSymbolicLink() && (folder.mode & 0o022) !== 0;
	if (folder.uid !== own || open)
		throw new AppError(
			"PERMISSION_DENIED",
			`The socket ${socketPath} is not used: its folder belongs to somebody else, or others may write there.`,
		);
}
