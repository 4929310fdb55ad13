import type { Homes, Json, Row } from "../support/codex-drive.ts";

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu;
const TIME_MEMBER =
	/^(created|updated|started|completed|recency|resets|sectionEntered|lastRefreshed)At$|AtMs$|^timestamp$/u;
const LENGTH_MEMBER = /^(durationMs|.*DurationMs|processId)$/u;
/** Text that no two runs share. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
	[/rollout-\d{4}-\d\d-\d\dT[\d-]+/gu, "rollout-<ts>"],
	[/sessions\/\d{4}\/\d\d\/\d\d/gu, "sessions/<date>"],
	[/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?/gu, "<iso>"],
	[/\b[0-9a-f]{40}\b/gu, "<sha>"],
	[/sha256:[0-9a-f]{64}/gu, "sha256:<hash>"],
	[/Wall time: [\d.]+/gu, "Wall time: <s>"],
	[/Chunk ID: \w+/gu, "Chunk ID: <id>"],
	[/127\.0\.0\.1:\d{4,5}/gu, "127.0.0.1:<PORT>"],
];

/** A transcript without what changes from run to run: ids become numbered, times, lengths and places get names. */
export function normalizeRows(rows: readonly Row[], { cwd, env }: Homes): Row[] {
	const ids = new Map<string, string>();
	const places = [
		[cwd, "<CWD>"],
		[env["CODEX_HOME"] ?? cwd, "<CODEX_HOME>"],
		[env["HOME"] ?? cwd, "<ROOT>"],
	] as const;

	function idOf(uuid: string): string {
		const known = ids.get(uuid) ?? `<uuid-${ids.size + 1}>`;
		ids.set(uuid, known);
		return known;
	}
	function text(value: string): string {
		const placed = places.reduce((found, [path, by]) => found.replaceAll(path, by), value);
		return CHANGING.reduce((found, [pattern, by]) => found.replace(pattern, by), placed.replace(UUID, idOf));
	}
	function walk(value: unknown, member?: string): unknown {
		if (member !== undefined && typeof value === "number" && TIME_MEMBER.test(member)) return "<ts>";
		const isPlain = typeof value === "number" || typeof value === "string";
		if (member !== undefined && isPlain && LENGTH_MEMBER.test(member)) return `<${member}>`;
		if (typeof value === "string") return text(value);
		if (Array.isArray(value)) return value.map((entry) => walk(entry));
		if (typeof value !== "object" || value === null) return value;
		return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), walk(inner, name)]));
	}
	return rows.map(({ dir, msg }) => ({ dir, msg: walk(msg) as Json }));
}
