import { readFileSync } from "node:fs";
import { type ProcessIdentity, parseProcessIdentity } from "./identity.ts";
import type { Paths } from "./paths.ts";

export interface Listener {
	kind: string;
	address: string;
}

/** What daemon.json says; written when the daemon is ready, removed when it stops. */
export interface Discovery extends ProcessIdentity {
	version: string;
	/** Of this daemon process: a new one for each start. */
	epoch: string;
	started_at_ms: number;
	listeners: readonly Listener[];
	/** Where the sockets really are: a long home moves them. */
	sockets: Readonly<Record<string, string>>;
	machine_id: string;
	/** Where the daemon reads and writes Codex's own files. */
	codex_home?: string;
}

/** The record a daemon left; undefined when there is none or it makes no sense. That its process lives is not checked. */
export function readDiscovery(paths: Pick<Paths, "discovery">): Discovery | undefined {
	let parsed: unknown;
	try {
		parsed = JSON.parse(readFileSync(paths.discovery, "utf8"));
	} catch {
		return undefined;
	}
	const identity = parseProcessIdentity(parsed);
	if (!identity || typeof parsed !== "object" || parsed === null) return undefined;
	const record: Partial<Discovery> = parsed;
	return {
		...identity,
		version: String(record.version ?? ""),
		epoch: String(record.epoch ?? ""),
		started_at_ms: Number(record.started_at_ms ?? 0),
		listeners: Array.isArray(record.listeners) ? (record.listeners as Listener[]) : [],
		sockets: { ...record.sockets },
		machine_id: String(record.machine_id ?? ""),
		...(typeof record.codex_home === "string" ? { codex_home: record.codex_home } : {}),
	};
}
