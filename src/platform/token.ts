import { readFileSync } from "node:fs";
import { AppError } from "#base/app-error.ts";
import type { Paths } from "./paths.ts";

/**
 * The bearer token of local programs.
 * @throws AppError AUTH_REQUIRED when it is not there yet or cannot be read.
 */
export function readToken(paths: Pick<Paths, "token">): string {
	let token: string;
	try {
		token = readFileSync(paths.token, "utf8").trim();
	} catch (cause) {
		throw new AppError(
			"AUTH_REQUIRED",
			`The token ${paths.token} cannot be read; the daemon makes it when it first starts.`,
			{ cause },
		);
	}
	if (token === "")
		throw new AppError(
			"AUTH_REQUIRED",
			`The token ${paths.token} is empty. Delete it and restart the daemon.`,
		);
	return token;
}
