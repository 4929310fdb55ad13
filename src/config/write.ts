import { dirname } from "node:path";
import Conf from "conf";
import { AppError } from "#base/app-error.ts";
import { makeFolder } from "#platform/make-folder.ts";
import { CONFIG_KEYS, type ConfigKey } from "./schema.ts";

interface SchemaNode {
	type: "object";
	properties: Record<string, unknown>;
	additionalProperties: true;
}

const emptyNode = (): SchemaNode => ({ type: "object", properties: {}, additionalProperties: true });

/** Nested JSON Schema members from the dotted names of the table, however deep. */
function schemaTree(): Record<string, unknown> {
	const root = emptyNode();
	for (const key of CONFIG_KEYS) {
		const groups = key.name.split(".");
		const leaf = groups.pop() ?? "";
		let at = root;
		for (const group of groups) {
			const next = (at.properties[group] ?? emptyNode()) as SchemaNode;
			at.properties[group] = next;
			at = next;
		}
		at.properties[leaf] = key.schema;
	}
	return root.properties;
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
