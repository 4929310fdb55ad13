import { readlinkSync } from "node:fs";

const LOCAL_TIME = "/etc/localtime";
const ZONE_NAME = /^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/;

function linkedZone(path: string): string | undefined {
	try {
		return /zoneinfo\/(.+)$/.exec(readlinkSync(path))?.[1];
	} catch {
		return undefined;
	}
}

/**
 * The time zone's name as the system has it, e.g. `Europe/Berlin`. Intl is asked only where the system has none: it loads
 * 8 MB of tables, and renames some (Etc/UTC becomes UTC).
 */
export function readTimeZone(
	env: Readonly<Record<string, string | undefined>>,
	localTime = LOCAL_TIME,
): string {
	const named = env["TZ"]?.replace(/^:/, "");
	if (named !== undefined && ZONE_NAME.test(named)) return named;
	return linkedZone(localTime) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}
