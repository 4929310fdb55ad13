import { dirname } from "node:path";
import Conf from "conf";
import { AppError } from "#base/app-error.ts";
import { CONFIG_KEYS, type ConfigKey } from "./schema.ts";

/** Nested JSON Schema members from the dotted names of the table. */
function schemaTree(): Record<
	string,
	{ type: "object"; properties: Record<string, unknown>; additionalProperties: true }
> {
	const tree: ReturnType<typeof schemaTree> = {};
	for (const key of CONFIG_KEYS) {
		const [group = "", leaf = ""] = key.name.split(".");
		tree[group] ??= { type: "object", properties: {}, additionalProperties: true };
		tree[group].properties[leaf] = key.schema;
	}
	return tree;
}

/** Keeps one setting (atomic, 0600), or with `undefined` forgets it. @throws AppError CONFIG_INVALID. */
export function writeConfig(
	path: string,
	key: ConfigKey,
	value: string | number | boolean | undefined,
): void {
	try {
		const store = new Conf<Record<string, unknown>>({
			cwd: dirname(path),
			configName: "config",
			configFileMode: 0o600,
			schema: schemaTree() as never,
		});
		if (value === undefined) store.delete(key.name);
		else store.set(key.name, value);
	} catch (error) {
		throw new AppError("CONFIG_INVALID", `${path}: ${(error as Error).message}`, { cause: error });
	}
}
