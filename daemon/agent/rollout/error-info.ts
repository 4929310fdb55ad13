import { camelCase, renamed, snakeCase } from "./casing.ts";

/** A kind of error is a word, or a word with an object of details behind it. */
function recased(info: unknown, rename: (name: string) => string): unknown {
	if (typeof info === "string") return rename(info);
	if (typeof info !== "object" || info === null) return null;
	return Object.fromEntries(
		Object.entries(info).map(([kind, details]) => [
			rename(kind),
			typeof details === "object" && details !== null ? renamed({ ...details }, rename) : details,
		]),
	);
}

/** `codex_error_info` of a rollout as clients see it. */
export const importErrorInfo = (info: unknown): unknown => recased(info, camelCase);

/** And back; a kind is always said. */
export const exportErrorInfo = (info: unknown): unknown => recased(info, snakeCase) ?? "other";
