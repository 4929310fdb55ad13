import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";

/** Like the real /tmp's: what nobody used for so long is not missed. */
const KEPT_MS = 3 * 24 * 60 * 60 * 1000;
const NAME = /^[\w-]{1,100}$/;

/** Folders that stand in for /tmp: one per thread, so that its commands find each other's files and nobody else's. */
export interface ScratchFolders {
	/** Made where it is missing, 0700; undefined for a name that is none or when it cannot be made. */
	of(name: string): string | undefined;
	/** Takes away those that were not used for three days. */
	sweep(): void;
}

export function createScratchFolders(parent: string, clock: Pick<Clock, "nowMs">): ScratchFolders {
	return {
		of(name) {
			if (!NAME.test(name)) return undefined;
			const folder = join(parent, name);
			try {
				mkdirSync(folder, { recursive: true, mode: 0o700 });
				const now = clock.nowMs() / 1000;
				utimesSync(folder, now, now);
				return folder;
			} catch {
				// A full disk: the command gets an empty /tmp of its own.
				return undefined;
			}
		},
		sweep() {
			let names: string[] = [];
			try {
				names = readdirSync(parent);
			} catch {
				return;
			}
			for (const name of names) {
				const folder = join(parent, name);
				const usedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
				if (clock.nowMs() - usedMs > KEPT_MS) rmSync(folder, { recursive: true, force: true });
			}
		},
	};
}
