import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** A skill as its SKILL.md introduces it. */
export interface Skill {
	readonly name: string;
	readonly description: string;
	/** Absolute path of its SKILL.md. */
	readonly path: string;
	readonly scope: "user" | "repo";
}

/** Files that skills are read from. */
export interface SkillFiles {
	/** Null when it is not there or cannot be read. */
	readText(path: string): Promise<string | null>;
	/** Names of the folders inside; none where it cannot be read. */
	listFolders(path: string): Promise<readonly string[]>;
}

const FILE = "SKILL.md";
/** Bounds of what is looked at and shown: a folder of skills is small, and each line costs tokens at every request. */
const MAX_DEPTH = 4;
const MAX_SKILLS = 200;
const MAX_DESCRIPTION_CHARS = 1024;
const MAX_LIST_BYTES = 24 * 1024;

/** Folders on this machine, sorted, so that the same files give the same list. */
export async function listLocalFolders(path: string): Promise<readonly string[]> {
	try {
		const entries = await readdir(path, { withFileTypes: true });
		return entries
			.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
			.map((entry) => entry.name)
			.toSorted();
	} catch {
		return [];
	}
}

function unquoted(value: string): string {
	const match = /^(["'])([\s\S]*)\1$/.exec(value);
	return match === null ? value : (match[2] ?? "");
}

/** Top-level members of YAML front matter that are text: on one line, quoted, or in an indented block. */
export function parseFrontMatter(text: string): ReadonlyMap<string, string> {
	const members = new Map<string, string>();
	const block = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(text)?.[1];
	let open: string | null = null;
	for (const line of (block ?? "").split(/\r?\n/)) {
		const member = /^([A-Za-z][\w-]*):\s*(.*)$/.exec(line);
		if (member !== null) {
			const [, key = "", value = ""] = member;
			open = key;
			members.set(key, /^[>|][+-]?$/.test(value) ? "" : unquoted(value.trim()));
		} else if (open !== null && /^\s+\S/.test(line)) {
			members.set(open, `${members.get(open) ?? ""} ${line.trim()}`.trim());
		}
	}
	return members;
}

async function readSkill(folder: string, scope: Skill["scope"], files: SkillFiles): Promise<Skill | null> {
	const path = join(folder, FILE);
	const text = await files.readText(path);
	if (text === null) return null;
	const members = parseFrontMatter(text);
	const name = members.get("name") ?? "";
	const description = (members.get("description") ?? "")
		.replaceAll(/\s+/g, " ")
		.slice(0, MAX_DESCRIPTION_CHARS);
	return name === "" || description === "" ? null : { name, description, path, scope };
}

interface Search {
	scope: Skill["scope"];
	files: SkillFiles;
	depth: number;
}

async function skillsBelow(folder: string, search: Search): Promise<Skill[]> {
	const own = await readSkill(folder, search.scope, search.files);
	if (own !== null) return [own];
	if (search.depth >= MAX_DEPTH) return [];
	const names = await search.files.listFolders(folder);
	// Hidden folders are somebody's bookkeeping, but for the one that Codex keeps its own skills in.
	const open = names.filter((name) => !name.startsWith(".") || name === ".system");
	const deeper = { ...search, depth: search.depth + 1 };
	const found = await Promise.all(open.map((name) => skillsBelow(join(folder, name), deeper)));
	return found.flat();
}

/** Where a project keeps its skills, in its root and in each folder down to the one at hand. */
const PROJECT_PLACES = [
	[".codex", "skills"],
	[".agents", "skills"],
] as const;

/** Skills of the person ($CODEX_HOME/skills) and of the project, by name. */
export async function findSkills(
	{ codexHome, folders }: { codexHome: string; folders: readonly string[] },
	files: SkillFiles,
): Promise<Skill[]> {
	const found = await Promise.all([
		skillsBelow(join(codexHome, "skills"), { scope: "user", files, depth: 0 }),
		...folders.flatMap((folder) =>
			PROJECT_PLACES.map((place) => skillsBelow(join(folder, ...place), { scope: "repo", files, depth: 0 })),
		),
	]);
	const byPath = new Map(found.flat().map((skill) => [skill.path, skill]));
	return [...byPath.values()]
		.toSorted(
			(one, other) => one.name.localeCompare(other.name, "en") || one.path.localeCompare(other.path, "en"),
		)
		.slice(0, MAX_SKILLS);
}

const HOW = `A skill is a folder with instructions for one kind of task, in a file SKILL.md. These are at hand:`;
const USE = `Use a skill when the person names it (\`$name\` or in words) or when its description plainly fits the task; use no more of them than the task needs, and say in a few words which. First read its SKILL.md to the end; paths in it count from its folder. Read further files of the folder only where it points to them, and run its scripts rather than retyping them. If a named skill is not listed or cannot be read, say so and go on as well as you can. A skill holds for the message that called for it, not for later ones.`;

/** What the model is told of the skills; null when there are none. The loop finds a skill's file by these lines. */
export function skillsText(skills: readonly Skill[]): string | null {
	if (skills.length === 0) return null;
	const lines: string[] = [];
	let bytes = 0;
	for (const { name, description, path } of skills) {
		const line = `- ${name}: ${description} (file: ${path})`;
		bytes += Buffer.byteLength(line);
		if (bytes > MAX_LIST_BYTES) break;
		lines.push(line);
	}
	const more = skills.length - lines.length;
	const rest = more > 0 ? [`(${more} more are not listed for want of room)`] : [];
	return `<skills_instructions>\n## Skills\n${[HOW, ...lines, ...rest, USE].join("\n")}\n</skills_instructions>`;
}
