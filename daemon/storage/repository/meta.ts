import { defineWrite, type Reader } from "../store.ts";

/** Sets one value of the small key-value table. */
export const metaSet = defineWrite("meta.set", (tx, { key, value }: { key: string; value: string }): void => {
	tx.run(
		"INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		key,
		value,
	);
});

export function readMeta(reader: Reader, key: string): string | undefined {
	return reader.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)?.value;
}
