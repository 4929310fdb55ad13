import { rmSync } from "node:fs";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { type Discovery, readDiscovery } from "#platform/discovery.ts";
import { readProcessIdentity } from "#platform/identity.ts";
import type { Paths } from "#platform/paths.ts";
import { toHomeError } from "./home.ts";

/** Writes daemon.json (0600, whole or not at all) for this process; disposing removes it, unless a later daemon wrote its own. */
export function publishDiscovery(paths: Paths, record: Omit<Discovery, "pid" | "start_time">): Disposable {
	const own = readProcessIdentity(process.pid) ?? { pid: process.pid, start_time: "" };
	try {
		writeFileAtomic(paths.discovery, `${JSON.stringify({ ...own, ...record }, undefined, "\t")}\n`);
	} catch (error) {
		throw toHomeError(error, paths.discovery);
	}
	return {
		[Symbol.dispose]() {
			if (readDiscovery(paths)?.epoch === record.epoch) rmSync(paths.discovery, { force: true });
		},
	};
}
