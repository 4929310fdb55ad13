import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTimeZone } from "#platform/time-zone.ts";

test("time zone: the environment's name goes first, then the system's link, under its own name", () => {
	const dir = mkdtempSync(join(tmpdir(), "zone-"));
	try {
		const link = join(dir, "localtime");
		symlinkSync("/usr/share/zoneinfo/Etc/UTC", link);
		expect(readTimeZone({}, link)).toBe("Etc/UTC");
		expect(readTimeZone({ TZ: "Europe/Berlin" }, link)).toBe("Europe/Berlin");
		expect(readTimeZone({ TZ: ":America/New_York" }, link)).toBe("America/New_York");
		expect(readTimeZone({ TZ: "<+03>-3" }, link)).toBe("Etc/UTC");
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});

test("time zone: there is always one when the system has no link", () => {
	expect(readTimeZone({}, "/nowhere/localtime")).toMatch(/^[A-Z]/);
});
