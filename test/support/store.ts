import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { createStore, type StoreOptions } from "#daemon/storage/create-store.ts";
import type { Store } from "#daemon/storage/store.ts";
import { createMemoryLogger } from "./logger.ts";

/** A real store, on a folder of its own unless `path` is given; disposing closes it and removes that folder. */
export async function openTestStore(
	options: Partial<StoreOptions> = {},
): Promise<Store & { readonly path: string }> {
	const folder = await mkdtemp(join(tmpdir(), "store-"));
	const path = options.path ?? join(folder, "homie.db");
	const store = await createStore({
		path,
		writerUrl: new URL("../../daemon/storage/writer-entry.ts", import.meta.url),
		backupsDir: join(folder, "backups"),
		clock: systemClock,
		logger: createMemoryLogger(),
		onFatal: (error) => {
			throw error;
		},
		...options,
	});
	return {
		...store,
		path,
		async [Symbol.asyncDispose]() {
			await store[Symbol.asyncDispose]();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
