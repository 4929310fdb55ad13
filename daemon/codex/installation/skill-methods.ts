import { readdir, readFile } from "node:fs/promises";
import { dirname, join, parse, resolve } from "node:path";
import type { CodexMethods } from "../method.ts";
import { boolean, type JsonObject, list, optional, string, struct } from "../wire/decode.ts";
import { configFileOf, parseLayer, readTextFile } from "./config-document.ts";

const SKILL_FILE = "SKILL.md";
/** Folders below a root of skills that are looked into. */
const DEPTH_MAX = 4;

const listParams = struct("SkillsListParams", {
	cwds: optional(list(string)),
	forceReload: optional(boolean),
});

/** Values of the head of a skill file: `name: value` lines between two lines of dashes. */
function readHead(text: string): Readonly<Record<string, string>> {
	const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1] ?? "";
	const rows = head.split(/\r?\n/).flatMap((line) => {
		const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
		return name === undefined ? [] : [[name, (value ?? "").replace(/^(["'])(.*)\1$/, "$2")]];
	});
	return Object.fromEntries(rows);
}

async function findSkillFiles(folder: string, depth = 0): Promise<string[]> {
	if (depth > DEPTH_MAX) return [];
	const rows = await readdir(folder, { withFileTypes: true }).catch(() => []);
	const found = rows.some((row) => row.name === SKILL_FILE) ? [join(folder, SKILL_FILE)] : [];
	const below = rows
		.filter((row) => row.isDirectory())
		.map((row) => findSkillFiles(join(folder, row.name), depth + 1));
	return [...found, ...(await Promise.all(below)).flat()];
}

function rootsOf(cwd: string, codexHome: string): { path: string; scope: string }[] {
	const roots = [];
	for (let folder = cwd; ; folder = dirname(folder)) {
		roots.push({ path: join(folder, ".codex", "skills"), scope: "repo" });
		roots.push({ path: join(folder, ".agents", "skills"), scope: "repo" });
		if (folder === parse(folder).root) break;
	}
	return [...roots, { path: join(codexHome, "skills"), scope: "user" }];
}

/** `skills/list`: what lies in the skill folders of a folder's project and of the Codex home. */
export function createSkillMethods({ codexHome, cwd }: { codexHome: string; cwd: string }): CodexMethods {
	function disabled(): ReadonlySet<string> {
		const file = configFileOf(codexHome);
		const skills = parseLayer(readTextFile(file), file)["skills"] as { config?: unknown } | undefined;
		const rows = Array.isArray(skills?.config)
			? (skills.config as { path?: string; enabled?: boolean }[])
			: [];
		return new Set(
			rows.flatMap((row) => (row.enabled === false && row.path !== undefined ? [row.path] : [])),
		);
	}

	async function viewSkill(path: string, scope: string, off: ReadonlySet<string>): Promise<JsonObject> {
		const { name, description } = readHead(await readFile(path, "utf8").catch(() => ""));
		if (!name || !description) return { path, message: "missing field `name` or `description`" };
		const own = path.startsWith(join(codexHome, "skills", ".system")) ? "system" : scope;
		return { name, description, path, scope: own, enabled: !off.has(path), pluginId: null };
	}

	async function listOf(folder: string): Promise<JsonObject> {
		const off = disabled();
		const found = new Map<string, JsonObject>();
		for (const { path: root, scope } of rootsOf(resolve(cwd, folder), codexHome)) {
			for (const path of await findSkillFiles(root))
				if (!found.has(path)) found.set(path, await viewSkill(path, scope, off));
		}
		const rows = [...found.values()];
		return {
			cwd: folder,
			skills: rows.filter((row) => "name" in row),
			errors: rows.filter((row) => !("name" in row)),
		};
	}

	return {
		async "skills/list"(params) {
			const { cwds } = listParams.decode(params);
			const folders = cwds === null || cwds.length === 0 ? [cwd] : cwds;
			return { data: await Promise.all(folders.map(listOf)) };
		},
	};
}
