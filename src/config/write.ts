import { dirname } from "node:path";
import Conf from "conf";
import { AppError } from "#base/app-error.ts";
import { makeFolder } from "#platform/make-folder.ts";
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

const NOT_WRITABLE: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST"]);

function explain(path: string, error: NodeJS.ErrnoException): AppError {
	const { code = "" } = error;
	if (code === "ENOSPC")
		return new AppError("STORAGE_FULL", `${path} could not be written: the disk is full.`);
	if (NOT_WRITABLE.has(code))
		return new AppError("HOME_NOT_WRITABLE", `${path} cannot be written (${code}).`);
	return new AppError("CONFIG_INVALID", `${path}: ${error.message}`, { cause: error });
}

/**
 * Keeps one setting (atomic, 0600), or with `undefined` forgets it.
 * @throws AppError CONFIG_INVALID, HOME_NOT_WRITABLE, STORAGE_FULL.
 */
export function writeConfig(
	path: string,
	key: ConfigKey,
	value: string | number | boolean | undefined,
): void {
	try {
		makeFolder(dirname(path));
		const store = new Conf<Record<string, unknown>>({
			cwd: dirname(path),
			configName: "config",
			configFileMode: 0o600,
			schema: schemaTree() as never,
		});
		if (value === undefined) store.delete(key.name);
		else store.set(key.name, value);
	} catch (error) {
		throw explain(path, error as NodeJS.ErrnoException);
	}
}
